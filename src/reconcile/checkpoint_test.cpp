/// The engine stage over checkpoints: what a start goes on from, and what it passes over.

#include <filesystem>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <tuple>

#include "base/temporary_directory.h"
#include "log/state.h"
#include "model/engine_level.h"
#include "reconcile/engine_state.h"
#include "reconcile/stage_kit.h"

namespace helios::reconcile {
namespace {

using namespace test;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// A payload of one of the three clouds for an order, all in agreement.
void append_leg(Pipeline& p, int leg, const std::string& key) {
    const std::string id = R"({"orderId":")" + key + R"(",)";
    switch (leg) {
        case 0:
            return p.append(model::topic::orders,
                            event("aws", "OrderPlaced", "o-" + key, id + R"("total":5})"));
        case 1:
            return p.append(model::topic::payments,
                            event("gcp", "PaymentProcessed", "p-" + key,
                                  id + R"("paymentId":"p-)" + key + R"(","amount":5})"));
        default:
            return p.append(model::topic::inventory,
                            event("azure", "InventoryReserved", "i-" + key,
                                  id + R"("reservationId":"r-)" + key + R"("})"));
    }
}

std::vector<std::string> revisions_of(Pipeline& p) {
    std::vector<std::string> out;
    for (const auto& verdict : p.verdicts()) {
        out.push_back(model::encode(verdict));
    }
    return out;
}

class CheckpointTest : public ::testing::Test {
protected:
    explicit CheckpointTest(std::uint32_t partitions = 3) {
        p.log_options.partitions = partitions;
        p.log_options.keep = std::chrono::hours(1);
        p.log_options.keep_interval = Duration::zero();                       // when asked
        p.engine_options.checkpoint_interval = std::chrono::hours(24 * 365);  // when asked
        p.engine_options.state_directory = scratch.path() + "/state/engine";
        HELIOS_ASSERT(p.start().has_value(), "the test's stages start");
    }

    void leg(int of, const std::string& key = "A1") {
        append_leg(p, of, key);
        settle();
    }
    void settle() { ASSERT_TRUE(p.settle()); }
    void keep() { p.engine().keep(); }
    void restart() {
        ASSERT_TRUE(p.restart());
        settle();
    }
    double metric(const std::string& name) {
        const std::string all = p.metrics();
        const auto at = all.find("\n" + name + " ");
        HELIOS_ASSERT(at != std::string::npos, "the metric is there");
        return std::stod(all.substr(at + name.size() + 2));
    }
    double records_taken() { return metric("helios_reconcile_engine_records_total"); }
    double passed_over() { return metric("helios_reconcile_checkpoints_passed_over_total"); }

    std::uint32_t partition_of_key(const std::string& key = "A1") {
        return partition_of(model::case_log_key(default_tenant(), "order", key),
                            p.log_options.partitions);
    }
    /// Folders of the checkpoints of the key's partition, oldest first.
    std::vector<fs::path> checkpoints(const std::string& key = "A1") {
        std::vector<fs::path> out;
        for (const auto& entry : fs::directory_iterator(p.engine_options.state_directory + "/" +
                                                        std::to_string(partition_of_key(key)))) {
            if (fs::exists(entry.path() / "CHECKPOINT")) {
                out.push_back(entry.path());
            }
        }
        std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
            return std::stoull(a.filename()) < std::stoull(b.filename());
        });
        return out;
    }
    static void flip_a_byte(const fs::path& file) {
        std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
        const auto middle = static_cast<std::streamoff>(fs::file_size(file) / 2);
        bytes.seekg(middle);
        const char byte = static_cast<char>(bytes.get());
        bytes.seekp(middle);
        bytes.put(static_cast<char>(byte ^ 1));
    }

    TemporaryDirectory scratch = *TemporaryDirectory::make("helios-checkpoint-test-");
    Pipeline p;
};

TEST_F(CheckpointTest, a_start_goes_on_from_the_newest_and_reads_only_the_tail) {
    leg(0);
    leg(1);
    keep();
    leg(0, "B2");
    const double before = records_taken();
    restart();
    EXPECT_EQ(records_taken(), before + 1) << "B2's order alone";
    leg(2);
    const auto verdicts = p.verdicts();
    ASSERT_EQ(verdicts.size(), 3u);
    EXPECT_EQ(verdicts.back().key, "A1");
    EXPECT_EQ(verdicts.back().status, model::VerdictStatus::matched);
    EXPECT_EQ(verdicts.back().revision, 2u);
}

TEST_F(CheckpointTest, a_case_that_closed_before_it_takes_a_later_fact) {
    for (const int of : {0, 1, 2}) {
        leg(of);
    }
    keep();
    restart();
    p.append(model::topic::payments, event("gcp", "PaymentProcessed", "p-2",
                                           R"({"orderId":"A1","paymentId":"another","amount":5})"));
    settle();
    const auto last = p.verdicts().back();
    EXPECT_EQ(last.instance, 1u);
    EXPECT_EQ(last.revision, 3u);
    EXPECT_EQ(last.status, model::VerdictStatus::mismatched) << "charged twice";
}

TEST_F(CheckpointTest, a_damaged_one_is_passed_over_and_named) {
    leg(0);
    keep();
    leg(1);
    keep();
    ASSERT_EQ(checkpoints().size(), 2u);
    flip_a_byte(checkpoints().back() / "CHECKPOINT");
    restart();
    EXPECT_EQ(passed_over(), 1);
    EXPECT_NE(p.lines().back().find("checkpoint"), std::string::npos) << p.lines().back();
    leg(2);
    EXPECT_EQ(p.verdicts().size(), 2u);
    EXPECT_EQ(p.verdicts().back().status, model::VerdictStatus::matched);
}

TEST_F(CheckpointTest, damaged_values_send_a_partition_back_to_the_older_one) {
    leg(0);
    keep();
    leg(1);
    leg(2);
    keep();
    for (const auto& file : fs::directory_iterator(checkpoints().back())) {
        const auto twin = checkpoints().front() / file.path().filename();
        if (file.path().extension() == ".sst" && !fs::exists(twin)) {
            flip_a_byte(file.path());
        }
    }
    restart();
    leg(0);  // once more: asks for the closed case
    EXPECT_GE(passed_over(), 1);
    EXPECT_EQ(p.verdicts().size(), 2u);
    EXPECT_TRUE(p.engine().health());
}

TEST_F(CheckpointTest, without_a_good_one_the_log_is_replayed) {
    leg(0);
    keep();
    leg(1);
    keep();
    for (const auto& folder : checkpoints()) {
        fs::resize_file(folder / "CHECKPOINT", 10);
    }
    restart();
    EXPECT_EQ(passed_over(), 2);
    leg(2);
    EXPECT_EQ(p.verdicts().size(), 2u);
    EXPECT_EQ(p.verdicts().back().revision, 2u);
}

TEST_F(CheckpointTest, one_of_another_log_is_passed_over) {
    leg(0);
    keep();
    p.stop();
    Pipeline other;
    other.engine_options.state_directory = p.engine_options.state_directory;
    ASSERT_TRUE(other.start());
    append_leg(other, 1, "A1");
    ASSERT_TRUE(other.settle());
    const auto verdicts = other.verdicts();
    ASSERT_EQ(verdicts.size(), 1u);
    EXPECT_EQ(verdicts[0].revision, 1u) << "knows nothing of the other log's order";
}

TEST_F(CheckpointTest, none_is_made_while_the_log_takes_nothing) {
    leg(0);
    keep();
    const auto before = checkpoints();
    keep();
    EXPECT_EQ(checkpoints(), before) << "nothing has changed";
}

// ---- The log's beginning is cut

class CutLogTest : public CheckpointTest {
protected:
    CutLogTest() : CheckpointTest(1) {}

    /// Everything in segments that are full goes, but for what `holds` needs.
    void cut(std::vector<log::Hold> holds = {}) {
        p.clock.advance(std::chrono::hours(2));
        settle();
        p.log().keep(std::move(holds));
        ASSERT_TRUE(p.log().drop_expired());
        ASSERT_GT(p.log().kept().at(0).begin.value, 0u);
    }
    /// Of the engine's start.
    std::string refusal() {
        EXPECT_TRUE(p.restart());
        const Status opened = p.engine().open();
        EXPECT_FALSE(opened);
        EXPECT_TRUE(opened || opened.error().kind == ErrorKind::not_found);
        return opened ? "" : opened.error().message();
    }
    /// With two checkpoints of A1's partition, and the log's beginning in a segment of its own.
    void live() {
        leg(0);
        keep();
        leg(1);
        keep();
        restart();
        leg(0, "B2");
        ASSERT_EQ(checkpoints().size(), 2u);
    }
    std::string cases() {
        return "helios.cases/" + std::to_string(partition_of_key()) + " from offset 0 up to ";
    }
};

TEST_F(CutLogTest, without_a_good_checkpoint_both_are_named_and_the_cut_and_the_way_out) {
    live();
    cut();
    const auto both = checkpoints();
    flip_a_byte(both[0] / "CHECKPOINT");
    fs::remove(both[1] / "CURRENT");
    const auto told = refusal();
    EXPECT_THAT(told, AllOf(HasSubstr(both[0].string() + ": "), HasSubstr(both[1].string() + ": "),
                            HasSubstr(cases()), HasSubstr("past the log's retention"),
                            HasSubstr("restore the data directory from a copy"),
                            HasSubstr("helios log export")));
    const auto why = [&](const fs::path& of) {
        const auto at = told.find(of.string() + ": ") + of.string().size() + 2;
        return told.substr(at, told.find(';', at) - at);
    };
    EXPECT_THAT(why(both[0]), HasSubstr("CHECKPOINT is damaged"));
    EXPECT_THAT(why(both[1]), HasSubstr("it lacks CURRENT"));
}

TEST_F(CutLogTest, one_that_was_set_aside_as_damaged_is_named_too) {
    live();
    cut();
    const auto both = checkpoints();
    fs::rename(both[1], both[1].string() + ".bad");
    fs::remove(both[0] / "CHECKPOINT");
    EXPECT_THAT(refusal(),
                AllOf(HasSubstr(both[0].string() + ": "),
                      HasSubstr(both[1].string() + ": it was found damaged and set aside")));
}

TEST_F(CutLogTest, good_ones_that_the_log_does_not_reach_are_named_too) {
    live();
    restart();
    cut();
    const auto both = checkpoints();
    EXPECT_THAT(refusal(), AllOf(HasSubstr(both[0].string() + ": the log lacks what follows it"),
                                 HasSubstr(both[1].string() + ": the log lacks what follows it")));
}

TEST_F(CutLogTest, without_any_that_is_said) {
    live();
    cut();
    fs::remove_all(p.engine_options.state_directory);
    EXPECT_THAT(refusal(), HasSubstr("there is no checkpoint of it; records of helios.cases/"));
}

TEST_F(CutLogTest, a_good_one_makes_up_for_the_beginning) {
    live();
    cut();
    flip_a_byte(checkpoints().front() / "CHECKPOINT");
    restart();
    EXPECT_EQ(passed_over(), 0) << "it need not be read";
    leg(2);
    EXPECT_EQ(p.verdicts().back().status, model::VerdictStatus::matched);
}

// Retention keeps what comes after the older one, and not the last record in it.
TEST_F(CutLogTest, the_older_one_is_good_although_the_last_record_in_it_is_gone) {
    leg(0);
    keep();
    const auto older_last = *p.log().ends_of({{{model::topic::cases, partition_of_key()}, {}}});
    restart();
    leg(1);
    keep();
    ASSERT_EQ(checkpoints().size(), 2u);
    cut({{"engine", [this]() -> Result<log::Offsets> { return p.engine().kept_from(); }}});
    ASSERT_GE(p.log().kept().at(0).begin, older_last.begin()->second);
    flip_a_byte(checkpoints().back() / "CHECKPOINT");
    restart();
    EXPECT_EQ(passed_over(), 1);
    leg(2);
    EXPECT_EQ(p.verdicts().back().status, model::VerdictStatus::matched);
}

// ---- Good ones that disagree with the log

/// What is changed of a header that would be right, and of a state that is.
using Falsify = std::function<void(log::CheckpointHeader&)>;
using Spoil = std::function<void(log::State&)>;

class DisagreeingTest : public CheckpointTest {
protected:
    /// Puts one on top that is whole, and says of itself what `falsify` makes of the truth. Its
    /// content is that of the newest good one.
    fs::path put(const Falsify& falsify, const Spoil& spoil = {}) {
        const log::LogId log = p.log().id();
        const Partition id{model::topic::cases, partition_of_key()};
        log::CheckpointHeader header;
        header.log = log;
        header.topic = model::name_of(id.topic);
        header.partition = id.index;
        for (const auto& record : p.records(id.topic)) {
            if (record.at.partition == id) {
                header.next = record.next;
                header.last = record.at.offset;
                header.last_time = record.log_time;
            }
        }
        header.level = model::highest_level;
        header.format = engine_state_format;
        if (falsify) {
            falsify(header);
        }
        p.stop();
        const auto next = header.next;
        log::StateOptions options;
        options.directory = p.engine_options.state_directory;
        options.topic = header.topic;
        const auto states = *log::StateDirectory::open(std::move(options), log);
        std::vector<log::StateDirectory::PassedOver> none;
        const auto state = *states->open(id.index, {}, none);
        if (spoil) {
            spoil(*state);
        }
        state->freeze(std::move(header));
        HELIOS_ASSERT(state->write().has_value(), "the test's checkpoint is written");
        return p.engine_options.state_directory + "/" + std::to_string(id.index) + "/" +
               std::to_string(next.value);
    }
};

TEST_F(DisagreeingTest, one_that_agrees_is_used) {
    leg(0);
    keep();
    leg(1);
    const double before = records_taken();
    put({});
    ASSERT_TRUE(p.start());
    settle();
    EXPECT_EQ(passed_over(), 0) << "so what the others below lie about is why they are";
    EXPECT_EQ(records_taken(), before);
}

TEST_F(DisagreeingTest, what_is_looked_at_again_is_told_once) {
    leg(0);
    keep();
    leg(1);
    const auto top =
        put({}, [](log::State& state) { state.put(std::string(1, entry::summary), "?"); });
    const auto above = top.parent_path() / std::to_string(std::stoull(top.filename()) + 1);
    fs::copy(top, above);
    ASSERT_TRUE(p.start());
    settle();
    EXPECT_EQ(passed_over(), 2);
    EXPECT_THAT(p.lines(), Contains(HasSubstr(above.string() + "\"")).Times(1));
    EXPECT_THAT(p.lines(), Contains(HasSubstr(top.string() + "\"")).Times(1));
    leg(2);
    EXPECT_EQ(p.verdicts().back().status, model::VerdictStatus::matched);
}

TEST_F(DisagreeingTest, a_closed_case_that_is_damaged_is_told_with_the_trace_that_asked_for_it) {
    for (const int of : {0, 1, 2}) {
        leg(of);
    }
    keep();
    leg(0);  // a record more, of which nothing follows
    put({}, [](log::State& state) {
        state.put(closed_key(model::case_log_key(default_tenant(), "order", "A1")), "?");
    });
    ASSERT_TRUE(p.start());
    settle();
    auto asking = event("gcp", "PaymentProcessed", "p-2",
                        R"({"orderId":"A1","paymentId":"another","amount":5})");
    asking.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    p.append(model::topic::payments, asking);
    EXPECT_TRUE(p.step_route());
    EXPECT_FALSE(p.step_engine());
    EXPECT_THAT(p.lines(),
                Contains(AllOf(HasSubstr("a closed case is damaged"),
                               HasSubstr(R"("traceId":"0af7651916cd43dd8448eb211c80319c")"))));
    settle();
    EXPECT_EQ(p.verdicts().back().status, model::VerdictStatus::mismatched) << "charged twice";
    EXPECT_EQ(p.verdicts().back().revision, 3u);
}

struct Lie {
    const char* name;
    Falsify falsify;
    const char* why;
};

class LyingTest : public DisagreeingTest,
                  public ::testing::WithParamInterface<std::tuple<Lie, bool>> {};

TEST_P(LyingTest, it_is_passed_over_and_named_and_the_same_verdicts_come_out) {
    const auto& [lie, has_older] = GetParam();
    leg(0);
    if (has_older) {
        keep();
    }
    leg(1);
    const double before = records_taken();
    const auto top = put(lie.falsify);
    ASSERT_TRUE(p.start());
    settle();
    EXPECT_EQ(passed_over(), 1);
    EXPECT_THAT(p.lines(), Contains(AllOf(HasSubstr("can't be used"), HasSubstr(top.string()),
                                          HasSubstr(lie.why))));
    const double replayed = records_taken() - before;
    EXPECT_EQ(has_older ? replayed : std::min(replayed, 3.0), has_older ? 1 : 3)
        << "the payment alone; or the log from its beginning: flow, order, payment at least";
    leg(2);

    Pipeline without;
    ASSERT_TRUE(without.start());
    for (const int of : {0, 1}) {
        append_leg(without, of, "A1");
        ASSERT_TRUE(without.settle());
    }
    ASSERT_TRUE(without.restart());
    ASSERT_TRUE(without.settle());
    append_leg(without, 2, "A1");
    ASSERT_TRUE(without.settle());
    EXPECT_EQ(p.verdicts().back().status, model::VerdictStatus::matched);
    EXPECT_EQ(revisions_of(p), revisions_of(without));
}

INSTANTIATE_TEST_SUITE_P(
    Checkpoints, LyingTest,
    ::testing::Combine(
        ::testing::Values(
            Lie{"of_a_newer_format", [](auto& header) { ++header.format; }, "this binary knows"},
            Lie{"of_a_higher_level", [](auto& header) { ++header.level; }, "this binary knows"},
            Lie{"beyond_what_is_committed", [](auto& header) { ++header.next.value; },
                "beyond what the engine has committed"},
            Lie{"without_its_last_record_on_the_log", [](auto& header) { ++header.last->value; },
                "the log has no record at"},
            Lie{"whose_last_record_has_another_stamp",
                [](auto& header) { header.last_time += log::log_time_grain; },
                "is another one on this log"}),
        ::testing::Bool()),
    [](const auto& test) {
        return std::string(std::get<0>(test.param).name) +
               (std::get<1>(test.param) ? "_above_a_good_one" : "_alone");
    });

// Whatever is kept, lost and begun again: the same revisions, byte for byte.
TEST(Checkpoints, lives_with_and_without_them_come_to_the_same) {
    for (std::uint32_t seed = 1; seed <= 8; ++seed) {
        std::mt19937 random(seed);
        const auto scratch = *TemporaryDirectory::make("helios-checkpoint-test-");
        Pipeline with;
        with.engine_options.state_directory = scratch.path();
        // No tick for the sake of a second checkpoint: it would take a log time of its own.
        with.engine_options.checkpoint_interval = std::chrono::hours(24 * 365);
        Pipeline without;
        ASSERT_TRUE(with.start());
        ASSERT_TRUE(without.start());
        const auto both = [&](auto&& action) {
            for (Pipeline* p : {&with, &without}) {
                action(*p);
                ASSERT_TRUE(p->settle());
            }
        };
        for (int i = 0; i < 40; ++i) {
            const auto what = random() % 10;
            if (what < 6) {
                const std::string key = "K" + std::to_string(random() % 6);
                both([&](Pipeline& p) { append_leg(p, static_cast<int>(what % 3), key); });
            } else if (what == 6) {
                const auto pause = std::chrono::seconds(random() % 50 + 1);
                both([&](Pipeline& p) { p.clock.advance(pause); });
            } else if (what == 7) {
                with.engine().keep();
            } else {
                both([](Pipeline& p) { ASSERT_TRUE(p.restart()); });
            }
        }
        EXPECT_EQ(revisions_of(with), revisions_of(without)) << "seed " << seed;
    }
}

}  // namespace
}  // namespace helios::reconcile
