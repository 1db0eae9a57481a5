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
  for (std::size_t part = 0; part < work->parts.size(); ++part) parts_.push_back({work, part});
}

void BatchQueue::push_texts(const std::shared_ptr<Work>& work) {
  std::ranges::sort(work->texts,
                    [](const TokenText& a, const TokenText& b) { return a.ids.size() > b.ids.size(); });
  std::size_t tokens = 0;
  for (const TokenText& text : work->texts) tokens += text.ids.size();
  queued_tokens_ -= work->queued_tokens - tokens;
  work->queued_tokens = tokens;
  ready_tokens_ += tokens;
  work->first = 0;
  work->last = work->texts.size();
  jobs_.push_back(work);
}

BatchQueue::PartToRead BatchQueue::take_part() {
  PartToRead part = std::move(parts_.front());
  parts_.pop_front();
  return part;
}

void BatchQueue::take_chunk(std::size_t budget, std::vector<TextToEmbed>& chunk) {
  std::size_t passed_over = 0;  // jobs in a row that had nothing short enough
  while (budget > 0 && passed_over < jobs_.size()) {
    std::shared_ptr<Work> work = std::move(jobs_.front());
    jobs_.pop_front();
    const auto text = next_text(*work, budget, chunk.empty());
    if (!text) {
      ++passed_over;
      jobs_.push_back(std::move(work));
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
    if (work->first == work->last) {
      forget(*work);
    } else {
      jobs_.push_back(work);
    }
    chunk.push_back({std::move(work), *text});
  }
}

void BatchQueue::drop_gone(std::vector<std::shared_ptr<Work>>& gone) {
  std::erase_if(jobs_, [&](std::shared_ptr<Work>& work) {
    if (!work->gone()) return false;
    ready_tokens_ -= work->queued_tokens;
    forget(*work);
    gone.push_back(std::move(work));
    return true;
  });
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
