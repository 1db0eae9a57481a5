#include "inference/batch_queue.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace embedrouter::inference {
namespace {

// The next text of a job that fits: the longest, or else the shortest.
std::optional<TokenText> next_text(Work& work, std::size_t budget, bool any_length) {
  if (any_length || work.texts[work.first].ids.size() <= budget) return work.texts[work.first++];
  if (work.texts[work.last - 1].ids.size() <= budget) return work.texts[--work.last];
  return std::nullopt;
}

}  // namespace

void Work::copy_texts() {
  std::size_t bytes = 0;
  for (const std::string_view text : job.texts) bytes += text.size();
  copy.reserve(bytes);
  for (std::string_view& text : job.texts) {
    const std::size_t at = copy.size();
    copy += text;
    text = std::string_view(copy).substr(at, text.size());
  }
}

bool BatchQueue::reserve(Work& work, std::size_t tokens) {
  // Tokens are estimated from bytes before a text is read: a little more may be queued than was reserved.
  if (queued_tokens_ > bound_ || tokens > bound_ - queued_tokens_) return false;
  work.queued_tokens = tokens;
  work.queued_texts = work.job.texts.size();
  queued_tokens_ += tokens;
  queued_texts_ += work.queued_texts;
  ++queued_jobs_;
  return true;
}

void BatchQueue::forget(Work& work) {
  queued_tokens_ -= std::exchange(work.queued_tokens, 0);
  queued_texts_ -= std::exchange(work.queued_texts, 0);
  --queued_jobs_;
}

void BatchQueue::push_parts(const std::shared_ptr<Work>& work) {
  std::list<PartToRead> parts;
  for (std::size_t part = 0; part < work->parts.size(); ++part) parts.push_back({work, part});
  parts_.splice(parts_.end(), parts);
}

void BatchQueue::push_texts(const std::shared_ptr<Work>& work) {
  std::list<std::shared_ptr<Work>> job{work};
  std::ranges::sort(work->texts,
                    [](const TokenText& a, const TokenText& b) { return a.ids.size() > b.ids.size(); });
  std::size_t tokens = 0;
  for (const TokenText& text : work->texts) tokens += text.ids.size();
  queued_tokens_ -= work->queued_tokens - tokens;
  work->queued_tokens = tokens;
  ready_tokens_ += tokens;
  work->first = 0;
  work->last = work->texts.size();
  jobs_.splice(jobs_.end(), job);
}

BatchQueue::PartToRead BatchQueue::take_part() {
  PartToRead part = std::move(parts_.front());
  parts_.pop_front();
  return part;
}

void BatchQueue::take_chunk(std::size_t budget, std::vector<TextToEmbed>& chunk) {
  std::size_t passed_over = 0;  // jobs in a row that had nothing short enough
  while (budget > 0 && passed_over < jobs_.size()) {
    const std::shared_ptr<Work>& work = jobs_.front();
    const auto text = next_text(*work, budget, chunk.empty());
    if (!text) {
      ++passed_over;
      jobs_.splice(jobs_.end(), jobs_, jobs_.begin());
      continue;
    }
    passed_over = 0;
    const std::size_t tokens = text->ids.size();
    budget -= std::min(budget, tokens);
    queued_tokens_ -= tokens;
    ready_tokens_ -= tokens;
    --queued_texts_;
    work->queued_tokens -= tokens;
    --work->queued_texts;
    chunk.push_back({work, *text});
    if (work->first == work->last) {
      forget(*work);
      jobs_.pop_front();
    } else {
      jobs_.splice(jobs_.end(), jobs_, jobs_.begin());
    }
  }
}

void BatchQueue::drop_gone(std::list<std::shared_ptr<Work>>& gone) {
  for (auto job = jobs_.begin(); job != jobs_.end();) {
    const auto here = job++;
    if (!(*here)->gone()) continue;
    ready_tokens_ -= (*here)->queued_tokens;
    forget(**here);
    gone.splice(gone.end(), jobs_, here);
  }
}

std::vector<std::shared_ptr<Work>> BatchQueue::drain() {
  std::vector<std::shared_ptr<Work>> all;
  all.reserve(parts_.size() + jobs_.size());
  for (PartToRead& part : parts_) all.push_back(std::move(part.work));
  for (auto& work : jobs_) all.push_back(std::move(work));
  parts_.clear();
  jobs_.clear();
  queued_tokens_ = ready_tokens_ = queued_texts_ = queued_jobs_ = 0;
  return all;
}

}  // namespace embedrouter::inference
