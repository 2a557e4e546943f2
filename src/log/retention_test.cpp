#include <optional>

#include "log/disk_log_test_kit.h"

namespace helios::log {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Duration day = std::chrono::hours(24);

class RetentionTest : public DiskLogTest {
protected:
    RetentionTest() {
        options_.keep = 10 * day;
        options_.partitions = 1;
    }

    /// A segment's worth of records, a day apart: a large one and its number.
    void days(int count, TopicId topic = topic::events) {
        for (int i = 0; i < count; ++i) {
            firsts_.push_back(*append(std::string(60'000, '.'), topic));
            appended_.push_back(*append(std::to_string(appended_.size()), topic));
            clock_.advance(day);
        }
    }
    void keep(std::vector<Hold> holds = {}) { log_->keep(std::move(holds)); }
    Kept data() { return log_->kept().at(0); }
    std::vector<std::string> left(Log& log) {
        const auto from = log_start(log, log.partitions_of(topic::events));
        const auto reader = log.read(*from);
        EXPECT_TRUE(reader) << reader.error().message();
        auto values = read_values(**reader);
        std::erase_if(values, [](const auto& value) { return value.size() > 100; });
        return values;
    }
    std::string metric(const std::string& name) {
        const auto text = telemetry_.metrics.expose();
        const auto at = text.find("\n" + name);
        return at == std::string::npos ? "" : text.substr(at + 1, text.find('\n', at + 1) - at - 1);
    }

    std::vector<Appended> firsts_;
    std::vector<Appended> appended_;
    const Partition id_{topic::events, 0};
};

Hold hold_at(std::string by, Offsets at) {
    return {std::move(by), [at = std::move(at)]() -> Result<Offsets> { return at; }};
}

TEST_F(RetentionTest, drops_whole_segments_that_are_older_and_renumbers_nothing) {
    open();
    days(15);
    keep();
    ASSERT_TRUE(log_->drop_expired());
    EXPECT_EQ(left(*log_).front(), "5");
    EXPECT_EQ(left(*log_).size(), 10u);
    EXPECT_GT(data().begin, appended_[4].at.offset);
    EXPECT_LE(data().begin, firsts_[5].at.offset);
    EXPECT_EQ(data().dropped_until, appended_[4].log_time);
    EXPECT_LT(data().dropped_until, firsts_[5].log_time);

    const auto info = log_->describe()->at(0);
    EXPECT_EQ(info.records, 20u);
    EXPECT_EQ(info.first, firsts_[5].at.offset);
    EXPECT_EQ(info.first_time, firsts_[5].log_time);
    EXPECT_EQ(log_->read_at(appended_[4].at).error().kind, ErrorKind::not_found);
    EXPECT_EQ(log_->read_at(appended_[5].at)->records[0].value, "5");
    const auto offsets = log_->offsets_at({id_}, appended_[7].log_time);
    EXPECT_EQ(offsets->at(id_), firsts_[7].at.offset) << "they tie";
    EXPECT_TRUE(log_->check_files());
    EXPECT_TRUE(log_->read_through());
    EXPECT_TRUE(log_->damage().empty());

    const auto before = log_->kept();
    open();  // the next life begins there, too
    EXPECT_EQ(log_->kept(), before);
    EXPECT_EQ(log_->describe()->at(0).first, info.first);
    EXPECT_EQ(log_->describe()->at(0).records, 20u);
    EXPECT_EQ(left(*log_).size(), 10u);
    EXPECT_TRUE(log_->read_through());
    EXPECT_TRUE(log_->damage().empty());
}

TEST_F(RetentionTest, who_would_begin_before_the_start_is_told_the_stretch) {
    open();
    days(15);
    auto reader = reader_of(*log_, {topic::events});
    ASSERT_EQ((*reader).poll(1, 1, Duration::zero())->records.size(), 1u);
    keep();
    ASSERT_TRUE(log_->drop_expired());
    const auto never = log_->read({{id_, Offset{0}}});
    ASSERT_FALSE(never);
    EXPECT_EQ(never.error().kind, ErrorKind::not_found);
    EXPECT_THAT(never.error().what,
                AllOf(HasSubstr("events/0 from offset 0"), HasSubstr("past the log's retention")));
    std::optional<Error> told;
    for (int i = 0; i < 3 && !told; ++i) {  // what it holds in memory it may still deliver
        if (const auto batch = reader->poll(100, 1u << 20, Duration::zero()); !batch) {
            told = batch.error();
        } else {
            EXPECT_LE(batch->records.back().at.offset, appended_[6].at.offset)
                << "a stretch is skipped";
        }
    }
    ASSERT_TRUE(told);
    EXPECT_EQ(told->kind, ErrorKind::not_found);
    EXPECT_THAT(told->what, HasSubstr("have been dropped"));
}

TEST_F(RetentionTest, a_reader_of_what_lost_nothing_goes_on) {
    open();
    const auto first = append("case", topic::cases);
    auto cases = reader_of(*log_, {topic::cases});
    ASSERT_THAT(read_values(*cases), ElementsAre("case"));
    days(15);
    keep();
    ASSERT_TRUE(log_->drop_expired());
    ASSERT_GT(data().begin, first->at.offset);
    ASSERT_TRUE(append("later", topic::cases));
    EXPECT_THAT(read_values(*cases), ElementsAre("later"));
    Offsets from{{{topic::cases, 0}, Offset{0}}, {{topic::cases, 1}, Offset{0}}};
    from[first->at.partition] = Offset{first->at.offset.value + 1};
    const auto again = log_->read(from);
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_THAT(read_values(**again), ElementsAre("later"));
}

TEST_F(RetentionTest, a_hold_keeps_what_it_needs_and_is_named) {
    open();
    days(15);
    keep({hold_at("store", {{id_, firsts_[2].at.offset}}),
          hold_at("route", {{id_, Offset{1u << 30}}}),
          hold_at("elsewhere", {{{topic::flows, 0}, Offset{0}}})});
    ASSERT_TRUE(log_->drop_expired());
    EXPECT_EQ(left(*log_).front(), "2");
    ASSERT_EQ(data().held.size(), 1u);
    EXPECT_EQ(data().held[0].by, "store");
    EXPECT_EQ(std::chrono::round<std::chrono::hours>(data().held[0].by_more), 3 * day);
    EXPECT_THAT(metric("helios_log_retention_held_seconds{by=\"store\"}"), HasSubstr("2592"));
    EXPECT_THAT(metric("helios_log_retention_held_seconds{by=\"route\"}"), HasSubstr("} 0"));
    const auto outside = open_read_only(options_, test_topics(), disk_, clock_, telemetry_);
    ASSERT_TRUE(outside);
    EXPECT_EQ((*outside)->kept(), log_->kept());
}

TEST_F(RetentionTest, a_hold_that_is_not_known_keeps_everything) {
    open();
    days(15);
    bool known = false;
    keep({{"store", [&]() -> Result<Offsets> {
               if (known) {
                   return Offsets{};
               }
               return fail(ErrorKind::unavailable, "the store can't be read");
           }}});
    ASSERT_TRUE(log_->drop_expired());
    EXPECT_EQ(data().begin, Offset{0});
    EXPECT_EQ(data().held.at(0).by, "store");
    known = true;
    ASSERT_TRUE(log_->drop_expired());
    EXPECT_EQ(left(*log_).front(), "5");
    EXPECT_TRUE(data().held.empty());
}

TEST_F(RetentionTest, a_bound_in_bytes_drops_the_oldest) {
    options_.keep = {};
    options_.keep_bytes_max = 300'000;
    open();
    days(15);
    keep();
    ASSERT_TRUE(log_->drop_expired());
    const auto info = log_->describe()->at(0);
    EXPECT_LE(info.end.value - data().begin.value, 300'000u);
    EXPECT_GT(info.end.value - data().begin.value, 200'000u);
}

TEST_F(RetentionTest, a_segment_that_fills_slowly_is_ended_in_time) {
    open();
    keep();
    for (int i = 0; i < 30; ++i) {
        ASSERT_TRUE(append(std::to_string(i)));
        clock_.advance(day);
        ASSERT_TRUE(log_->drop_expired());
    }
    EXPECT_LE(left(*log_).size(), 13u) << "the records of ten days, and what shares a segment";
    EXPECT_GE(left(*log_).size(), 10u);
}

TEST_F(RetentionTest, control_is_kept_for_ever_and_health_for_two_days) {
    options_.keep = {};
    const auto reopen = [&] {
        log_.reset();
        auto topics = test_topics();
        topics.push_back({topic::health, "health", RetentionClass::health, 1});
        auto opened = open_disk_log(options_, topics, disk_, clock_, telemetry_);
        ASSERT_TRUE(opened) << opened.error().message();
        log_ = std::move(*opened);
    };
    reopen();
    keep();
    for (int i = 0; i < 10; ++i) {
        for (const TopicId topic : {topic::events, topic::flows, topic::health}) {
            ASSERT_TRUE(append(std::to_string(i), topic));
        }
        clock_.advance(day / 2);
        ASSERT_TRUE(log_->drop_expired());
    }
    const auto kept = log_->kept();
    EXPECT_EQ(kept[0].begin, Offset{0});
    EXPECT_EQ(kept[1].begin, Offset{0});
    EXPECT_GT(kept[2].begin, Offset{0});
    EXPECT_LE(log_->describe()->back().records, 6u);
    EXPECT_GE(log_->describe()->back().records, 4u);
    reopen();
    EXPECT_EQ(log_->kept(), kept);
    EXPECT_TRUE(log_->damage().empty());
}

TEST_F(RetentionTest, other_processes_see_what_is_dropped_beside_them) {
    open();
    days(15);
    const auto opened = open_read_only(options_, test_topics(), disk_, clock_, telemetry_);
    ASSERT_TRUE(opened);
    Log& outside = **opened;
    auto behind = reader_of(outside, {topic::events});
    keep();
    ASSERT_TRUE(log_->drop_expired());
    days(1);
    EXPECT_EQ(left(outside), left(*log_));
    EXPECT_EQ(outside.kept(), log_->kept());
    EXPECT_EQ(outside.describe()->at(0).first, firsts_[5].at.offset);
    EXPECT_EQ(outside.describe()->at(0).records, log_->describe()->at(0).records);
    EXPECT_EQ(outside.read_at(appended_[0].at).error().kind, ErrorKind::not_found);
    EXPECT_EQ(behind->poll(1, 1, Duration::zero()).error().kind, ErrorKind::not_found);
    EXPECT_TRUE(outside.read_through());
    EXPECT_TRUE(outside.damage().empty()) << outside.damage()[0].what;
}

TEST_F(RetentionTest, a_file_deleted_by_hand_is_damage_and_no_retention) {
    open();
    days(15);
    keep();
    ASSERT_TRUE(log_->drop_expired());
    const Offset begin = data().begin;
    log_.reset();
    const auto names = *disk_.list("d/log/data");
    ASSERT_TRUE(disk_.remove("d/log/data/" + names[0]));
    ASSERT_TRUE(disk_.remove("d/log/data/" + names[3]));
    open();
    EXPECT_EQ(data().begin, begin);
    EXPECT_EQ(left(*log_).size(), 8u) << "the rest is served";
    ASSERT_EQ(log_->damage().size(), 2u);
    EXPECT_EQ(log_->damage()[0].file, "d/log/data/" + names[0]);
    EXPECT_THAT(log_->damage()[0].what, HasSubstr("missing"));
    EXPECT_EQ(log_->read_at(appended_[5].at).error().kind, ErrorKind::corrupt);
    const auto outside = open_read_only(options_, test_topics(), disk_, clock_, telemetry_);
    ASSERT_TRUE(outside);
    EXPECT_EQ((*outside)->damage().size(), 1u);
}

TEST_F(RetentionTest, damage_goes_with_the_segment_that_has_it) {
    open();
    days(15);
    log_.reset();
    flip("d/log/data/" + disk_.list("d/log/data")->front(), 3000);
    open();
    ASSERT_TRUE(log_->read_through());
    ASSERT_EQ(log_->damage().size(), 1u);
    keep();
    ASSERT_TRUE(log_->drop_expired());
    EXPECT_TRUE(log_->damage().empty());
    EXPECT_TRUE(log_->read_through());
    EXPECT_TRUE(log_->damage().empty());
}

TEST_F(RetentionTest, a_wall_clock_a_year_back_drops_nothing_more_and_nothing_less) {
    open();
    days(9);
    clock_.jump_wall(-365 * day);
    keep();
    ASSERT_TRUE(log_->drop_expired());
    EXPECT_EQ(left(*log_).size(), 9u);
    days(6);
    ASSERT_TRUE(log_->drop_expired());
    EXPECT_EQ(left(*log_).front(), "5");
    open();
    EXPECT_EQ(left(*log_).front(), "5");
    keep();
    ASSERT_TRUE(log_->drop_expired());
    EXPECT_EQ(left(*log_).front(), "5") << "while it stands still, log time goes on from the log";
}

TEST_F(RetentionTest, a_damaged_list_of_beginnings_is_told_and_loses_nothing) {
    open();
    days(15);
    keep();
    ASSERT_TRUE(log_->drop_expired());
    log_.reset();
    flip("d/log/kept", 20);
    open();
    EXPECT_EQ(log_->damage().at(0).file, "d/log/kept");
    EXPECT_EQ(left(*log_).size(), 10u);
    EXPECT_EQ(log_->read({{id_, Offset{0}}}).error().kind, ErrorKind::not_found);
    days(3);
    keep();
    ASSERT_TRUE(log_->drop_expired());
    open();
    EXPECT_TRUE(log_->damage().empty());
    EXPECT_EQ(left(*log_).size(), 10u);
}

TEST_F(RetentionTest, a_disk_that_refuses_leaves_everything_as_it_was) {
    open();
    days(15);
    keep();
    disk_.fail_syncs(true);
    EXPECT_FALSE(log_->drop_expired());
    disk_.fail_syncs(false);
    EXPECT_EQ(data().begin, Offset{0});
    EXPECT_EQ(left(*log_).size(), 15u);
    ASSERT_TRUE(log_->drop_expired());
    EXPECT_EQ(left(*log_).size(), 10u);
}

TEST_F(RetentionTest, the_background_drops_at_once_and_a_full_cut_leaves_a_log_that_goes_on) {
    open();
    days(3);
    open();  // another segment, and an empty one
    clock_.advance(30 * day);
    options_.keep_interval = std::chrono::milliseconds(1);
    open();
    std::promise<void> second_pass;
    keep({{"nobody", [&, passes = 0]() mutable -> Result<Offsets> {
               if (++passes == 2) {
                   second_pass.set_value();
               }
               return Offsets{};
           }}});
    second_pass.get_future().wait();
    EXPECT_TRUE(left(*log_).empty());
    EXPECT_EQ(log_->describe()->at(0).records, 0u);
    EXPECT_GT(log_->describe()->at(0).end, appended_.back().at.offset);
    const auto later = append("later");
    EXPECT_GT(later->at.offset, appended_.back().at.offset);
    EXPECT_THAT(left(*log_), ElementsAre("later"));
    open();
    EXPECT_THAT(left(*log_), ElementsAre("later"));
    EXPECT_EQ(log_->describe()->at(0).first, later->at.offset);
}

}  // namespace
}  // namespace helios::log
