#include "reconcile/history.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>
#include <tuple>

#include "base/decimal.h"
#include "reconcile/quote.h"

namespace helios::reconcile {
namespace {

using model::ReadValue;
using Events = std::vector<const HeldEvent*>;

/// By what events are ordered, one after the other.
enum class Step { occurred, envelope, sequence };
constexpr Step steps[] = {Step::occurred, Step::envelope, Step::sequence};

bool says(Step step, const HeldEvent& e) {
    return step == Step::occurred   ? e.occurred_ns != HeldEvent::no_time
           : step == Step::envelope ? e.event_ns != HeldEvent::no_time
                                    : !e.sequence().empty();
}

/// Both say it.
bool less(Step step, const HeldEvent& a, const HeldEvent& b) {
    return step == Step::occurred   ? a.occurred_ns < b.occurred_ns
           : step == Step::envelope ? a.event_ns < b.event_ns
                                    : sequence_less(a.sequence(), b.sequence());
}

/// Is it known that `a` came before `b`, or after it?
bool ordered(const HeldEvent& a, const HeldEvent& b) {
    return std::any_of(std::begin(steps), std::end(steps), [&](Step step) {
        return says(step, a) && says(step, b) && (less(step, a, b) || less(step, b, a));
    });
}

/// Which of them may be the last: step by step without those that another one surely follows.
Events last_of(Events events) {
    for (const Step step : steps) {
        const HeldEvent* latest = nullptr;
        for (const HeldEvent* event : events) {
            if (says(step, *event) && (latest == nullptr || less(step, *latest, *event))) {
                latest = event;
            }
        }
        std::erase_if(events, [&](const HeldEvent* event) {
            return says(step, *event) && less(step, *event, *latest);
        });
    }
    return events;
}

/// Earlier first, what does not say when last, then by name: an order to show things in and to
/// begin with, never to decide by.
bool shown_before(const HeldEvent& a, const HeldEvent& b) {
    if (a.occurred_ns != b.occurred_ns && a.occurred_ns != HeldEvent::no_time &&
        b.occurred_ns != HeldEvent::no_time) {
        return a.occurred_ns < b.occurred_ns;
    }
    for (const Step step : steps) {
        if (says(step, a) != says(step, b)) {
            return says(step, a);
        }
        if (says(step, a) && (less(step, a, b) || less(step, b, a))) {
            return less(step, a, b);
        }
    }
    return false;
}

/// The same value? What cannot be read agrees with nothing but itself.
bool same_value(const ReadView& a, const ReadView& b) {
    if (a.kind == ReadValue::Kind::decimal && b.kind == a.kind && a.text != b.text) {
        const auto x = Decimal::parse(a.text);
        const auto y = Decimal::parse(b.text);
        return x && y && *x == *y;
    }
    if (a.kind == ReadValue::Kind::items && b.kind == a.kind && a.packed_items != b.packed_items) {
        const auto x = a.items();
        const auto y = b.items();
        return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](const auto& l, const auto& r) {
            const auto one = Decimal::parse(l.second);
            const auto two = Decimal::parse(r.second);
            return l.first == r.first && one && two && *one == *two;
        });
    }
    return a.kind == b.kind && a.text == b.text && a.packed_items == b.packed_items;
}

/// One event of an identity, unpacked.
struct Said {
    const HeldEvent* held = nullptr;
    EventView view;
};

/// Folds the events of one identity.
class Fold {
public:
    Fold(const Leg& leg, std::vector<Said> said) : leg_(leg), said_(std::move(said)) {
        std::sort(said_.begin(), said_.end(), [](const Said& a, const Said& b) {
            if (shown_before(*a.held, *b.held) || shown_before(*b.held, *a.held)) {
                return shown_before(*a.held, *b.held);
            }
            return std::tuple(a.view.event_id, a.view.source, a.held->content()) <
                   std::tuple(b.view.event_id, b.view.source, b.held->content());
        });
    }

    Taken run() {
        Taken out;
        const auto last = among(last_of(all([](const Said&) { return true; })));
        out.counts =
            std::any_of(last.begin(), last.end(), [](const Said* s) { return s->held->counts; });
        const Said* shown =
            least_status(last, [&](const Said& s) { return s.held->counts == out.counts; });
        for (const Said& s : said_) {
            out.events.emplace_back(s.held, std::binary_search(last.begin(), last.end(),
                                                               &s));  // both in the order of said_
        }
        out.held = shown->held;
        out.view = shown->view;
        out.first = said_.front().held;
        if (!out.counts) {
            return out;
        }
        status(out, last);
        when(out);
        for (std::size_t r = 0; r < leg_.reads.size(); ++r) {
            read(out, r);
        }
        doubts(out);
        return out;
    }

private:
    template <class Which>
    Events all(Which which) const {
        Events out;
        for (const Said& s : said_) {
            if (which(s)) {
                out.push_back(s.held);
            }
        }
        return out;
    }
    /// In the order in which they are shown.
    std::vector<const Said*> among(Events events) const {
        std::sort(events.begin(), events.end(), std::less<>{});
        std::vector<const Said*> out;
        for (const Said& s : said_) {
            if (std::binary_search(events.begin(), events.end(), s.held, std::less<>{})) {
                out.push_back(&s);
            }
        }
        return out;
    }

    /// Which of them is quoted: by what it says, so that its id does not decide.
    template <class Which>
    const Said* least_status(const std::vector<const Said*>& events, Which which) const {
        const auto status = [&](const Said* s) {
            return leg_.status ? s->view.reads.back().text : std::string_view{};
        };
        const Said* least = nullptr;
        for (const Said* s : events) {
            if (which(*s) && (least == nullptr || status(s) < status(least))) {
                least = s;
            }
        }
        return least;
    }

    void status(Taken& out, const std::vector<const Said*>& last) const {
        if (const Said* refused =
                least_status(last, [](const Said& s) { return !s.held->counts; })) {
            out.ties.push_back({Tie::of_status, shown_status(out.view),
                                std::string(out.view.event_id), shown_status(refused->view),
                                std::string(refused->view.event_id)});
        }
        if (const Said* unknown =
                least_status(last, [](const Said& s) { return s.held->unknown_status; })) {
            out.unknown_status = true;
            out.view.reads.back() = unknown->view.reads.back();
        }
    }
    static std::string shown_status(const EventView& view) {
        return view.reads.back().kind == ReadValue::Kind::text ? shown(view.reads.back())
                                                               : "without a status";
    }

    /// The leg happened and came when it first counted; what came later does not move it.
    void when(Taken& out) const {
        out.arrived_ns = std::numeric_limits<std::int64_t>::max();
        out.first = nullptr;
        for (const Said& s : said_) {
            if (s.held->counts) {
                out.first = out.first == nullptr ? s.held : out.first;
                out.happened_ns = out.first->occurred_ns;
                out.arrived_ns = std::min(out.arrived_ns, s.held->at_ns);
            }
        }
    }

    /// What a read is worth: what the last event that says it says, of those that count if one of
    /// them does.
    void read(Taken& out, std::size_t r) const {
        const auto has = [r](const Said& s) {
            return s.view.reads[r].kind != ReadValue::Kind::absent;
        };
        const bool counting = std::any_of(said_.begin(), said_.end(),
                                          [&](const Said& s) { return has(s) && s.held->counts; });
        const auto speakers =
            all([&](const Said& s) { return has(s) && (s.held->counts || !counting); });
        if (speakers.empty()) {
            return;
        }
        const auto last = among(last_of(speakers));
        const auto other = std::find_if(last.begin(), last.end(), [&](const Said* s) {
            return !same_value(s->view.reads[r], last.front()->view.reads[r]);
        });
        if (other != last.end()) {
            tie(out, r, last);
            return;
        }
        const ReadView& value = last.front()->view.reads[r];
        out.view.reads[r] = value;
        if (leg_.may_revise(r)) {
            const auto first = std::find_if(said_.begin(), said_.end(), [&](const Said& s) {
                return has(s) && s.held->counts;
            });
            if (first != said_.end() && !same_value(first->view.reads[r], value)) {
                out.revised.push_back({r, shown(first->view.reads[r]), shown(value),
                                       std::string(last.front()->view.event_id)});
            }
            return;
        }
        if (std::any_of(said_.begin(), said_.end(), [&](const Said& s) {
                return has(s) && !same_value(s.view.reads[r], value);
            })) {
            out.differs |= 1u << r;
        }
    }

    /// Shown by value, so that neither id nor order of arrival decides which stands first.
    void tie(Taken& out, std::size_t r, std::vector<const Said*> last) const {
        std::sort(last.begin(), last.end(), [r](const Said* a, const Said* b) {
            const ReadView& x = a->view.reads[r];
            const ReadView& y = b->view.reads[r];
            return std::tuple(x.kind, x.text, x.packed_items, a->view.event_id) <
                   std::tuple(y.kind, y.text, y.packed_items, b->view.event_id);
        });
        const ReadView& value = last.front()->view.reads[r];
        const auto other = std::find_if(last.begin(), last.end(), [&](const Said* s) {
            return !same_value(s->view.reads[r], value);
        });
        out.ties.push_back({r, shown(value), std::string(last.front()->view.event_id),
                            shown((*other)->view.reads[r]), std::string((*other)->view.event_id)});
        out.view.reads[r] = value;
    }

    void doubts(Taken& out) const {
        std::set<std::string_view> all;
        for (const Said& s : said_) {
            all.insert(s.view.doubts.begin(), s.view.doubts.end());
        }
        out.view.doubts.assign(all.begin(), all.end());
    }

    const Leg& leg_;
    std::vector<Said> said_;
};

Taken alone(const HeldEvent& event, EventView view) {
    Taken out;
    out.held = out.first = &event;
    out.view = std::move(view);
    out.counts = event.counts;
    out.unknown_status = event.unknown_status;
    out.happened_ns = event.occurred_ns;
    out.arrived_ns = event.at_ns;
    return out;
}

/// Sorts what is large by moving each of it once.
template <class T, class Before>
void sort_by(std::vector<T>& values, Before before) {
    if (std::is_sorted(values.begin(), values.end(), before)) {
        return;
    }
    std::vector<std::uint32_t> order(values.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(),
              [&](std::uint32_t a, std::uint32_t b) { return before(values[a], values[b]); });
    std::vector<T> sorted;
    sorted.reserve(values.size());
    for (const std::uint32_t i : order) {
        sorted.push_back(std::move(values[i]));
    }
    values = std::move(sorted);
}

void choose(const Leg& leg, LegHistory& history) {
    const auto earlier = [](const Taken& a, const Taken& b) {
        if (shown_before(*a.first, *b.first) || shown_before(*b.first, *a.first)) {
            return shown_before(*a.first, *b.first);
        }
        return a.view.identity < b.view.identity;
    };
    sort_by(history.taken, earlier);
    sort_by(history.not_counting, earlier);
    if (leg.many || history.taken.size() <= 1) {
        return;
    }
    history.duplicates.assign(std::make_move_iterator(history.taken.begin() + 1),
                              std::make_move_iterator(history.taken.end()));
    history.taken.resize(1);
    history.tied = std::any_of(
        history.duplicates.begin(), history.duplicates.end(),
        [&](const Taken& other) { return !ordered(*history.taken.front().first, *other.first); });
}

}  // namespace

bool sequence_less(std::string_view a, std::string_view b) {
    const bool negative = a.starts_with('-');
    if (negative != b.starts_with('-')) {
        return negative;
    }
    if (negative) {
        std::swap(a, b);
    }
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

std::string shown(const ReadView& read) {
    if (read.kind == ReadValue::Kind::absent) {
        return "absent";
    }
    std::string out = read.kind == ReadValue::Kind::items ? "" : named(read.text);
    if (read.kind == ReadValue::Kind::items) {
        for (const auto& [key, quantity] : read.items()) {
            out += (out.empty() ? "" : ", ") + std::string(quantity) + " × " + named(key);
        }
        out = out.empty() ? "nothing" : out;
    }
    constexpr std::size_t bytes_max = 200;
    if (out.size() > bytes_max) {
        std::size_t end = bytes_max;
        while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0u) == 0x80u) {
            --end;
        }
        out = out.substr(0, end) + "…";
    }
    return out;
}

std::vector<LegHistory> read_histories(const Case& c) {
    std::vector<LegHistory> out(c.flow->legs.size());
    std::vector<std::vector<Said>> legs(out.size());
    for (const HeldEvent& event : c.events) {
        legs[event.leg].push_back({&event, event.view()});
    }
    for (std::size_t i = 0; i < legs.size(); ++i) {
        auto& said = legs[i];
        if (said.size() > 1) {
            sort_by(said,
                    [](const Said& a, const Said& b) { return a.view.identity < b.view.identity; });
        }
        for (std::size_t begin = 0, end = 0; begin < said.size(); begin = end) {
            while (end < said.size() && said[end].view.identity == said[begin].view.identity) {
                ++end;
            }
            Taken taken =
                end - begin == 1
                    ? alone(*said[begin].held, std::move(said[begin].view))
                    : Fold(c.flow->legs[i], {std::make_move_iterator(
                                                 said.begin() + static_cast<std::ptrdiff_t>(begin)),
                                             std::make_move_iterator(
                                                 said.begin() + static_cast<std::ptrdiff_t>(end))})
                          .run();
            (taken.counts ? out[i].taken : out[i].not_counting).push_back(std::move(taken));
        }
        choose(c.flow->legs[i], out[i]);
    }
    return out;
}

bool leg_counts(const Case& c, std::size_t leg) {
    bool counting = false, refused = false;
    for (const HeldEvent& event : c.events) {
        if (event.leg == leg) {
            (event.counts ? counting : refused) = true;
        }
    }
    if (!counting || !refused) {
        return counting;
    }
    std::vector<std::pair<std::string_view, const HeldEvent*>> events;
    for (const HeldEvent& event : c.events) {
        if (event.leg == leg) {
            events.emplace_back(event.identity(), &event);
        }
    }
    std::sort(events.begin(), events.end());
    for (std::size_t begin = 0, end = 0; begin < events.size(); begin = end) {
        Events identity;
        while (end < events.size() && events[end].first == events[begin].first) {
            identity.push_back(events[end++].second);
        }
        const auto last = last_of(std::move(identity));
        if (std::any_of(last.begin(), last.end(), [](const HeldEvent* e) { return e->counts; })) {
            return true;
        }
    }
    return false;
}

}  // namespace helios::reconcile
