/// The engine stage over checkpoints: what a start goes on from, and what it passes over.

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>

#include "base/temporary_directory.h"
#include "reconcile/stage_kit.h"

namespace helios::reconcile {
namespace {

using namespace test;
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
    CheckpointTest() {
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

    /// Folders of the checkpoints of the key's partition, oldest first.
    std::vector<fs::path> checkpoints(const std::string& key = "A1") {
        const auto partition = partition_of(model::case_log_key(default_tenant(), "order", key),
                                            p.log().partition_count(model::topic::cases));
        std::vector<fs::path> out;
        for (const auto& entry : fs::directory_iterator(p.engine_options.state_directory + "/" +
                                                        std::to_string(partition))) {
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
