#include "log/journal_state.h"

#include <utility>

namespace helios::log {
namespace {

template <class... F>
struct Cases : F... {
    using F::operator()...;
};

}  // namespace

JournalNews JournalStatus::advance(const JournalEvent& event) {
    const auto troubled = [&](JournalState next, const Error& why) {
        const bool known = trouble && trouble->what == why.what;
        state = next;
        trouble = why;
        return known ? JournalNews::nothing : JournalNews::trouble;
    };
    const auto opened = [&] {
        unsettled_from.reset();
        trouble.reset();
        return std::exchange(state, JournalState::open) == JournalState::open
                   ? JournalNews::nothing
                   : JournalNews::recovered;
    };
    const bool full = state == JournalState::full;
    const Cases cases{
        [&](const SegmentReady&) {
            unsettled_from.reset();
            return full ? JournalNews::nothing : opened();
        },
        [&](const SegmentFailed& failed) {
            return full ? JournalNews::nothing : troubled(JournalState::failed, failed.why);
        },
        [&](const WriteFailed& failed) {
            if (!unsettled_from) {
                unsettled_from = failed.first;
            }
            return troubled(full ? state : JournalState::failed, failed.why);
        },
        [&](const DiskFull& found) {
            if (!unsettled_from) {
                unsettled_from = found.unsettled_from;
            }
            const JournalNews news = troubled(JournalState::full, found.why);
            return full ? JournalNews::nothing : news;
        },
        [&](const SpaceIsBack&) { return opened(); },
        [&](const Retried& retried) {
            next_try = retried.next_try;
            return JournalNews::nothing;
        },
    };
    return std::visit(cases, event);
}

}  // namespace helios::log
