#include "routing/prober.h"

#include <algorithm>
#include <atomic>
#include <span>
#include <utility>

#include "embed/vector_values.h"

namespace embedrouter::routing {
namespace {

constexpr std::size_t kMostAtOnce = 16;
constexpr std::chrono::milliseconds kFirstPause{1'000};  // after a failure; doubled at each that follows

// The same text has another place in each measurement, so that an endpoint that mixes up its answers
// disagrees with itself.
std::vector<api::Item> canary_items(std::size_t turn) {
  const auto texts = canary_texts();
  std::vector<api::Item> items;
  items.reserve(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) items.push_back({texts[(i + turn) % texts.size()], {}});
  return items;
}

// The kind of input that canaries are sent as where the endpoint tells kinds apart: the same for all
// endpoints.
std::optional<std::string_view> document_kind(const catalog::Endpoint& endpoint) {
  for (const std::string_view kind : {"search_document", "document", "passage"}) {
    const auto found = std::ranges::find(endpoint.input_types, kind);
    if (found != endpoint.input_types.end()) return *found;
  }
  return std::nullopt;
}

}  // namespace

struct Prober::Subject {
  Member member;
  Space* space = nullptr;
  bool probing = false, probed = false, released = false;
  bool fresh = false;  // nothing was known when this prober began
  std::size_t turn = 0;
  std::uint32_t failures = 0;  // in a row
  Clock::Steady started{};     // the last probe
  Clock::Steady not_before{};  // after a failure
  std::optional<Error> failure;
  std::vector<Done> waiting;

  const catalog::Endpoint& endpoint() const { return *member.endpoint; }
  SpaceStanding& standing() const { return member.state->space; }
};

struct Prober::Space {
  std::string name;
  std::vector<std::unique_ptr<Subject>> subjects;  // in the operator's order
  std::vector<SpaceRecord> past;                   // of endpoints that are not configured, oldest first
  std::atomic<bool> has_past{false};               // read by all threads
};

Prober::Prober(std::vector<Member> members, SpaceHistory& history, const Clock& clock, ProberOptions options,
               Spawn spawn, Listener listener)
    : history_(history),
      clock_(clock),
      options_(options),
      spawn_(std::move(spawn)),
      listener_(std::move(listener)) {
  std::unordered_map<std::string_view, Space*> by_name;
  for (Member& member : members) {
    Space*& space = by_name[member.endpoint->space];
    if (space == nullptr) {
      space = spaces_.emplace_back(std::make_unique<Space>()).get();
      space->name = member.endpoint->space;
    }
    auto subject = std::make_unique<Subject>();
    subject->space = space;
    subject->member = std::move(member);
    subject->fresh = subject->standing().enter(space->name, subject->endpoint().model->dimensions);
    subjects_.emplace(subject->member.endpoint, subject.get());
    space->subjects.push_back(std::move(subject));
  }
  for (SpaceRecord& record : history_.read()) {
    const auto space = by_name.find(record.space);
    if (space == by_name.end()) continue;
    const auto& kin = space->second->subjects;
    const auto same =
        std::ranges::find_if(kin, [&](const auto& s) { return s->endpoint().id == record.endpoint; });
    const std::uint32_t width = record.member.history() ? record.member.history()->width : 0;
    if (same == kin.end()) {
      if (!record.member.history()) continue;
      space->second->past.push_back(std::move(record));
      space->second->has_past = true;
    } else if ((*same)->fresh && (width == 0 || width == (*same)->endpoint().model->dimensions)) {
      (*same)->standing().set(std::move(record.member));
    }
  }
}

Prober::~Prober() = default;

void Prober::stop() {
  stopped_ = true;
  for (const auto& [endpoint, subject] : subjects_) {
    for (const Done& done : std::exchange(subject->waiting, {}))
      done(fail(ErrorCode::shutting_down, "the router is shutting down"));
  }
}

bool Prober::is_alone(const catalog::Endpoint& endpoint) const {
  const Space& space = *subjects_.at(&endpoint)->space;
  return space.subjects.size() == 1 && !space.has_past;
}

void Prober::when_known(const catalog::Endpoint& endpoint, Done done) {
  Subject& subject = *subjects_.at(&endpoint);
  if (stopped_) return done(fail(ErrorCode::shutting_down, "the router is shutting down"));
  const bool just_failed = !subject.probing && subject.failure && clock_.now() < subject.not_before;
  if (subject.standing().verdict() != Verdict::unknown) return done({});
  if (just_failed) return done(fail(*subject.failure));
  subject.standing().want(clock_.now());
  subject.waiting.push_back(std::move(done));
  start_due(*subject.space, clock_.now());
}

void Prober::look() {
  take_releases();
  const auto now = clock_.now();
  for (const auto& space : spaces_) start_due(*space, now);
}

// A released endpoint is as one that was never seen, and is measured at once.
void Prober::take_releases() {
  for (const std::string& endpoint : history_.released()) {
    for (const auto& space : spaces_) {
      std::erase_if(space->past, [&](const SpaceRecord& record) { return record.endpoint == endpoint; });
      space->has_past = !space->past.empty();
    }
    for (const auto& [known, subject] : subjects_) {
      if (known->id != endpoint) continue;
      const Verdict before = subject->standing().verdict();
      subject->released = true;
      subject->probed = false;
      subject->not_before = {};
      subject->standing().want(clock_.now());
      settle(*subject, {});
      listener_({known, before, Verdict::unknown, {}, "the operator"});
    }
  }
}

bool Prober::is_due(const Subject& subject, Clock::Steady now) const {
  if (subject.probing || now < subject.not_before) return false;
  const auto wanted = subject.standing().wanted();
  if (wanted == Clock::Steady{}) return false;
  return !subject.probed || (wanted > subject.started && now - subject.started >= options_.interval);
}

// While a space has no vectors to be held against, its endpoints are measured one after the other in the
// operator's order, whichever of them is wanted: the first that answers becomes the reference.
void Prober::start_due(Space& space, Clock::Steady now) {
  const auto start = [&](Subject& subject) {
    if (running_ >= kMostAtOnce) return;
    subject.probing = true;
    subject.started = now;
    ++running_;
    spawn_(probe(subject));
  };
  const bool wanted = std::ranges::any_of(space.subjects, [&](const auto& s) { return is_due(*s, now); });
  if (!wanted) return;
  const bool founded = !space.past.empty() || std::ranges::any_of(space.subjects, [](const auto& s) {
    return s->standing().member().history().has_value();
  });
  for (const auto& subject : space.subjects) {
    if (founded) {
      if (is_due(*subject, now)) start(*subject);
    } else if (subject->probing) {
      return;
    } else if (subject->standing().verdict() == Verdict::unknown && now >= subject->not_before) {
      return start(*subject);
    }
  }
  if (founded) return;
  for (const auto& subject : space.subjects) {
    if (is_due(*subject, now)) return start(*subject);
  }
}

Task<void> Prober::probe(Subject& subject) {
  SpaceEvent event{
      subject.member.endpoint, subject.standing().verdict(), Verdict::unknown, {}, "its history"};
  auto judged = co_await judge(subject, event);
  subject.probing = false;
  --running_;
  const auto now = clock_.now();
  if (judged) {
    subject.probed = true;
    subject.failures = 0;
    subject.failure.reset();
  } else {
    const auto pause = kFirstPause * (1U << std::min(subject.failures++, 6U));
    subject.not_before = now + std::min<std::chrono::nanoseconds>(pause, options_.interval);
    subject.failure = judged.error();
    event.error = &*subject.failure;
  }
  event.to = subject.standing().verdict();
  for (const Done& done : std::exchange(subject.waiting, {})) {
    Result<void> told;
    if (event.to == Verdict::unknown && subject.failure) told = fail(*subject.failure);
    done(std::move(told));
  }
  listener_(event);
  start_due(*subject.space, now);
}

Task<Result<void>> Prober::judge(Subject& subject, SpaceEvent& event) {
  auto first = co_await measure(subject);
  if (!first) co_return fail(std::move(first).error());
  SpaceMember member = subject.standing().member();
  if (member.history()) {
    member.observe(*first);
    // A drift is believed when the next measurement shows it too, and that does not wait for the next
    // interval.
    if (member.in_doubt()) {
      auto again = co_await measure(subject);
      if (again) member.observe(*again);
    }
    event.likeness = member.last();
    settle(subject, std::move(member));
    co_return Result<void>();
  }
  auto again = co_await measure(subject);
  if (!again) co_return fail(std::move(again).error());
  SpaceRecord scratch;
  const SpaceRecord* reference = reference_for(subject, scratch);
  member.enroll(*first, *again, reference == nullptr ? nullptr : &*reference->member.history(),
                options_.threshold);
  event.likeness = member.last();
  event.against = reference == nullptr ? "itself" : reference->endpoint;
  if (member.verdict() == Verdict::agreeing && reference == nullptr) rebase(subject);
  settle(subject, std::move(member));
  co_return Result<void>();
}

Task<Result<Fingerprint>> Prober::measure(Subject& subject) {
  const std::size_t turn = subject.turn++ % canary_texts().size();
  const std::vector<api::Item> items = canary_items(turn);
  api::EmbedRequest request;
  request.model = subject.endpoint().model->id;
  request.items = items;
  request.input_type = document_kind(subject.endpoint());
  embed::Call call("canary", clock_.now() + options_.deadline);
  call.canary = true;
  auto reply = co_await subject.member.embedder->embed(request, call);
  if (!reply) co_return fail(std::move(reply).error());
  Fingerprint measured{reply->width, std::vector<float>(std::size_t{reply->width} * items.size())};
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::size_t text = (i + turn) % items.size();
    const std::span place = std::span(measured.values).subspan(text * reply->width, reply->width);
    auto read = embed::read_values(reply->data[i].vector, place);
    if (!read) co_return fail(std::move(read).error());
  }
  co_return measured;
}

// The vectors of the space: those of its first endpoint that agrees with itself; else what its endpoints and
// those of the past once were. A released endpoint is held against those that answer alone.
const SpaceRecord* Prober::reference_for(const Subject& subject, SpaceRecord& scratch) const {
  const auto look_at = [&](bool agreeing) -> const SpaceRecord* {
    for (const auto& other : subject.space->subjects) {
      SpaceMember member = other->standing().member();
      if (other.get() == &subject || !member.history()) continue;
      if (agreeing != (member.verdict() == Verdict::agreeing)) continue;
      scratch = {subject.space->name, other->endpoint().id, {}, std::move(member)};
      return &scratch;
    }
    return nullptr;
  };
  if (const SpaceRecord* reference = look_at(true)) return reference;
  if (subject.released) return nullptr;
  if (const SpaceRecord* reference = look_at(false)) return reference;
  return subject.space->past.empty() ? nullptr : &subject.space->past.front();
}

// The space begins anew with `subject`: what others in it once were is void, and they are measured against
// it.
void Prober::rebase(Subject& subject) {
  for (const SpaceRecord& record : std::exchange(subject.space->past, {}))
    history_.forget(record.space, record.endpoint);
  subject.space->has_past = false;
  for (const auto& other : subject.space->subjects) {
    if (other.get() == &subject || other->standing().verdict() == Verdict::unknown) continue;
    other->probed = false;
    settle(*other, {});
  }
}

void Prober::settle(Subject& subject, SpaceMember member) {
  const bool changed = member.verdict() != subject.standing().verdict();
  SpaceRecord record{subject.space->name, subject.endpoint().id, subject.endpoint().upstream_model, member};
  subject.standing().set(std::move(member));
  if (record.member.verdict() != Verdict::unknown) subject.released = false;
  if (changed) history_.keep(record);
}

}  // namespace embedrouter::routing
