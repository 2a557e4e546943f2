/// One test for each row of the table in journal_state.h.

#include "log/journal_state.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <string>
#include <vector>

namespace helios::log {
namespace {

using std::chrono::seconds;

Error error_of(std::string what) {
    return {ErrorKind::unavailable, std::move(what), "a hint"};
}
const Error before = error_of("what failed before");
const Error now = error_of("what fails now");
const Instant early = from_nanos(1'000);
const Instant late = from_nanos(2'000);

JournalStatus open_journal() {
    return {};
}
JournalStatus failed_journal() {
    return {JournalState::failed, before, early, seconds(1)};
}
JournalStatus full_journal() {
    return {JournalState::full, before, early, seconds(1)};
}

struct Next {
    JournalNews news;
    JournalStatus status;
    friend bool operator==(const Next&, const Next&) = default;
};
Next after(JournalStatus status, const JournalEvent& event) {
    const JournalNews news = status.advance(event);
    return {news, std::move(status)};
}
void PrintTo(const Next& next, std::ostream* out) {
    const JournalStatus& status = next.status;
    *out << "state " << static_cast<int>(status.state) << ", trouble "
         << (status.trouble ? status.trouble->what : "none") << ", unsettled from "
         << (status.unsettled_from ? to_nanos(*status.unsettled_from) : 0) << ", next try "
         << status.next_try.count() << ", news " << static_cast<int>(next.news);
}

TEST(JournalStateTest, a_segment_settles_a_failed_journal_but_makes_no_space_on_a_full_disk) {
    EXPECT_EQ(after(open_journal(), SegmentReady{}), (Next{JournalNews::nothing, open_journal()}));
    EXPECT_EQ(after(failed_journal(), SegmentReady{}),
              (Next{JournalNews::recovered, {JournalState::open, {}, {}, seconds(1)}}));
    EXPECT_EQ(after(full_journal(), SegmentReady{}),
              (Next{JournalNews::nothing, {JournalState::full, before, {}, seconds(1)}}));
}

TEST(JournalStateTest, a_segment_that_cannot_be_made_fails_the_journal_unless_the_disk_is_full) {
    EXPECT_EQ(after(open_journal(), SegmentFailed{now}),
              (Next{JournalNews::trouble, {JournalState::failed, now, {}, {}}}));
    EXPECT_EQ(after(failed_journal(), SegmentFailed{now}),
              (Next{JournalNews::trouble, {JournalState::failed, now, early, seconds(1)}}));
    EXPECT_EQ(after(full_journal(), SegmentFailed{now}),
              (Next{JournalNews::nothing, full_journal()}))
        << "what is missing is still what the operator must know";
}

TEST(JournalStateTest, a_failed_write_leaves_the_journal_unsettled_from_the_earliest_on) {
    EXPECT_EQ(after(open_journal(), WriteFailed{now, late}),
              (Next{JournalNews::trouble, {JournalState::failed, now, late, {}}}));
    EXPECT_EQ(after(failed_journal(), WriteFailed{now, late}),
              (Next{JournalNews::trouble, {JournalState::failed, now, early, seconds(1)}}));
    EXPECT_EQ(after(full_journal(), WriteFailed{now, late}),
              (Next{JournalNews::trouble, {JournalState::full, now, early, seconds(1)}}))
        << "a failing write makes no space";
    const JournalStatus in_the_reserve{JournalState::full, before, {}, {}};
    EXPECT_EQ(after(in_the_reserve, WriteFailed{now, late}),
              (Next{JournalNews::trouble, {JournalState::full, now, late, {}}}));
}

TEST(JournalStateTest, a_full_disk_is_told_once_and_its_figures_follow) {
    EXPECT_EQ(after(open_journal(), DiskFull{now}),
              (Next{JournalNews::trouble, {JournalState::full, now, {}, {}}}));
    EXPECT_EQ(after(failed_journal(), DiskFull{now}),
              (Next{JournalNews::trouble, {JournalState::full, now, early, seconds(1)}}))
        << "what failed has not been ruled out";
    EXPECT_EQ(after(full_journal(), DiskFull{now}),
              (Next{JournalNews::nothing, {JournalState::full, now, early, seconds(1)}}));
}

TEST(JournalStateTest, a_disk_that_is_full_at_open_leaves_the_last_lifes_end_unsettled) {
    EXPECT_EQ(after(open_journal(), DiskFull{now, late}),
              (Next{JournalNews::trouble, {JournalState::full, now, late, {}}}));
    EXPECT_EQ(after(full_journal(), DiskFull{now, late}).status.unsettled_from, early);
}

TEST(JournalStateTest, space_opens_a_full_journal) {
    EXPECT_EQ(after(open_journal(), SpaceIsBack{}), (Next{JournalNews::nothing, open_journal()}));
    for (const JournalStatus& shut : {failed_journal(), full_journal()}) {
        EXPECT_EQ(after(shut, SpaceIsBack{}),
                  (Next{JournalNews::recovered, {JournalState::open, {}, {}, seconds(1)}}));
    }
}

TEST(JournalStateTest, a_try_only_puts_off_the_next_one) {
    for (const JournalStatus& status : {open_journal(), failed_journal(), full_journal()}) {
        JournalStatus expected = status;
        expected.next_try = seconds(9);
        EXPECT_EQ(after(status, Retried{seconds(9)}), (Next{JournalNews::nothing, expected}));
    }
}

TEST(JournalStateTest, the_same_trouble_is_told_once) {
    for (const JournalEvent& again :
         {JournalEvent(SegmentFailed{before}), JournalEvent(WriteFailed{before, late}),
          JournalEvent(DiskFull{before})}) {
        EXPECT_EQ(after(failed_journal(), again).news, JournalNews::nothing);
    }
    EXPECT_EQ(after(full_journal(), WriteFailed{before, late}).news, JournalNews::nothing);
}

RC_GTEST_PROP(JournalStateTest, an_open_journal_and_no_other_is_without_trouble, ()) {
    const std::vector<JournalEvent> events{SegmentReady{},         SegmentFailed{before},
                                           SegmentFailed{now},     WriteFailed{before, early},
                                           WriteFailed{now, late}, DiskFull{before},
                                           DiskFull{now, late},    SpaceIsBack{},
                                           Retried{seconds(1)}};
    JournalStatus status;
    for (const int chosen : *rc::gen::container<std::vector<int>>(
             rc::gen::inRange(0, static_cast<int>(events.size())))) {
        const JournalStatus was = status;
        const JournalNews news = status.advance(events[static_cast<std::size_t>(chosen)]);
        const bool open = status.state == JournalState::open;
        RC_ASSERT(open != status.trouble.has_value());
        RC_ASSERT(!(open && status.unsettled_from.has_value()));
        RC_ASSERT((news == JournalNews::recovered) == (open && was.state != JournalState::open));
        RC_ASSERT(!was.unsettled_from || !status.unsettled_from ||
                  *was.unsettled_from == *status.unsettled_from);
    }
}

}  // namespace
}  // namespace helios::log
