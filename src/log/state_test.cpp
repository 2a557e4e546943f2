#include "log/state.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include "base/file_limit_test_kit.h"
#include "log/checkpoint_file.h"
#include "log/state_entry.h"

namespace helios::log {
namespace {

namespace fs = std::filesystem;

constexpr LogId this_log{{1, 2, 3}};
constexpr std::uint32_t partition = 3;

std::string all_of(State& state, std::string_view prefix = "") {
    std::string out;
    const auto done = state.scan(prefix, [&](std::string_view key, std::string_view value) {
        out += std::string(key) + "=" + std::string(value) + " ";
        return Status{};
    });
    return done ? out : done.error().message();
}

std::string contents(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Replaces the file: another name of the same inode keeps what it had.
void replace(const fs::path& path, std::string_view bytes) {
    fs::remove(path);
    std::ofstream(path, std::ios::binary) << bytes;
}

CheckpointHeader header_at(std::uint64_t next) {
    CheckpointHeader out;
    out.log = this_log;
    out.topic = "helios.cases";
    out.partition = partition;
    out.next = Offset{next};
    if (next > 0) {
        out.last = Offset{next - 1};
    }
    out.last_time = from_nanos(static_cast<std::int64_t>(next) * 1'000'000);
    out.level = 2;
    out.format = 7;
    return out;
}

/// One partition's State in a directory of its own, and what its opening passed over.
class StateTest : public ::testing::Test {
public:
    ~StateTest() override {
        close();
        fs::remove_all(root_);
    }

protected:
    StateTest() {
        std::string pattern = (fs::temp_directory_path() / "helios-state-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
        options_.directory = (root_ / "state" / "engine").string();
        options_.topic = "helios.cases";
    }

    void close() {
        state_.reset();
        states_.reset();
    }

    Status open(const JudgeCheckpoint& judge = nullptr, const LogId& log = this_log) {
        close();
        passed_over_.clear();
        HELIOS_TRY_ASSIGN(states_, StateDirectory::open(options_, log));
        HELIOS_TRY_ASSIGN(state_, states_->open(partition, judge, passed_over_));
        return {};
    }
    /// What is there, in a copy of the directory, as another process would find it.
    void open_copy(const fs::path& copy) {
        close();
        options_.directory = (copy / "engine").string();
        const auto opened = open();
        ASSERT_TRUE(opened.has_value()) << opened.error().message();
    }

    Status checkpoint(std::uint64_t next) {
        state_->freeze(header_at(next));
        return state_->write();
    }
    /// Two checkpoints: a=1 at 10, a=2 b=2 at 20.
    void make_two() {
        ASSERT_TRUE(open().has_value());
        state_->put("a", "1");
        ASSERT_TRUE(checkpoint(10).has_value());
        state_->put("a", "2");
        state_->put("b", "2");
        ASSERT_TRUE(checkpoint(20).has_value());
        close();
    }

    fs::path folder() const { return fs::path(options_.directory) / "3"; }
    std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (const auto& entry : fs::directory_iterator(folder())) {
            const std::string name = entry.path().filename().string();
            out.push_back(name.starts_with("live.") ? "live" : name);
        }
        std::sort(out.begin(), out.end());
        return out;
    }
    std::optional<std::uint64_t> began_from() const {
        const auto& header = state_->began_from();
        return header ? std::optional(header->next.value) : std::nullopt;
    }

    fs::path root_;
    StateOptions options_;
    std::unique_ptr<StateDirectory> states_;
    std::unique_ptr<State> state_;
    std::vector<StateDirectory::PassedOver> passed_over_;
};

using Names = std::vector<std::string>;

TEST(MemoryState, what_was_last_put_is_there) {
    const auto states = StateDirectory::open({}, LogId{});
    ASSERT_TRUE(states.has_value());
    std::vector<StateDirectory::PassedOver> passed_over;
    const auto opened = (*states)->open(1, nullptr, passed_over);
    ASSERT_TRUE(opened.has_value());
    State& state = **opened;
    EXPECT_FALSE(state.began_from().has_value());
    state.put("b/2", "two");
    state.put("b/1", "one");
    state.put("a", "x");
    state.put("a", "y");
    state.put("c", "z");
    state.erase("c");
    EXPECT_EQ(state.changes(), 6u);
    EXPECT_EQ(*state.get("a"), "y");
    EXPECT_EQ(*state.get("c"), std::nullopt);
    EXPECT_EQ(all_of(state, "b/"), "b/1=one b/2=two ");
    state.freeze({});
    EXPECT_TRUE(state.write().has_value());
    EXPECT_EQ(state.changes(), 0u);
    EXPECT_EQ(all_of(state), "a=y b/1=one b/2=two ");
}

TEST_F(StateTest, a_restart_finds_the_newest_checkpoint_and_nothing_after_it) {
    ASSERT_TRUE(open().has_value());
    EXPECT_EQ(began_from(), std::nullopt);
    state_->put("a", "1");
    state_->put("gone", "1");
    state_->put("ab", "");
    EXPECT_EQ(state_->changes(), 3u);
    ASSERT_TRUE(checkpoint(10).has_value());
    EXPECT_EQ(state_->changes(), 0u);
    state_->erase("gone");
    state_->put("a", std::string(100'000, 'x'));
    ASSERT_TRUE(checkpoint(20).has_value());
    EXPECT_EQ(states_->kept_from(partition), Offset{10});
    state_->put("a", "after");
    EXPECT_EQ(*state_->get("a"), "after");

    ASSERT_TRUE(open().has_value());
    EXPECT_TRUE(passed_over_.empty());
    ASSERT_TRUE(state_->began_from().has_value());
    CheckpointHeader expected = header_at(20);
    expected.digest = state_->began_from()->digest;
    EXPECT_EQ(encode_header(*state_->began_from()), encode_header(expected));
    EXPECT_NE(expected.digest, Digest128{});
    EXPECT_EQ(*state_->get("a"), std::string(100'000, 'x'));
    EXPECT_EQ(*state_->get("ab"), "");
    EXPECT_EQ(*state_->get("gone"), std::nullopt);
    EXPECT_EQ(*state_->get("never"), std::nullopt);
    EXPECT_EQ(all_of(*state_, "a"), "a=" + std::string(100'000, 'x') + " ab= ");
    EXPECT_EQ(states_->kept_from(partition), Offset{10});
}

TEST_F(StateTest, what_is_frozen_is_read_while_it_waits_to_be_written) {
    ASSERT_TRUE(open().has_value());
    state_->put("a", "1");
    state_->put("b", "1");
    state_->freeze(header_at(10));
    state_->put("a", "2");
    EXPECT_EQ(*state_->get("a"), "2");
    EXPECT_EQ(*state_->get("b"), "1");
    EXPECT_EQ(state_->changes(), 1u);
    ASSERT_TRUE(state_->write().has_value());
    EXPECT_EQ(*state_->get("a"), "2");
    EXPECT_EQ(*state_->get("b"), "1");
    ASSERT_TRUE(open().has_value());
    EXPECT_EQ(all_of(*state_), "a=1 b=1 ");
}

TEST_F(StateTest, the_two_highest_are_kept) {
    ASSERT_TRUE(open().has_value());
    EXPECT_EQ(states_->kept_from(partition), std::nullopt);
    for (const std::uint64_t next : {5u, 10u, 900u, 1000u}) {
        state_->put("a", std::to_string(next));
        ASSERT_TRUE(checkpoint(next).has_value());
    }
    EXPECT_EQ(names(), (Names{"1000", "900", "live"}));
    EXPECT_EQ(states_->kept_from(partition), Offset{900});
    ASSERT_TRUE(open().has_value());
    EXPECT_EQ(began_from(), 1000u);
    EXPECT_EQ(states_->kept_from(partition), Offset{900});
}

TEST_F(StateTest, a_checkpoint_without_a_record_since_is_not_made_twice) {
    make_two();
    const auto before = contents(folder() / "20" / "CHECKPOINT");
    ASSERT_TRUE(open().has_value());
    ASSERT_TRUE(checkpoint(20).has_value());
    ASSERT_TRUE(state_->write().has_value());
    EXPECT_EQ(names(), (Names{"10", "20", "live"}));
    EXPECT_EQ(contents(folder() / "20" / "CHECKPOINT"), before);
    EXPECT_EQ(states_->kept_from(partition), Offset{10});
    state_->put("c", "3");
    ASSERT_TRUE(checkpoint(30).has_value());
    EXPECT_EQ(names(), (Names{"20", "30", "live"}));
}

TEST_F(StateTest, a_checkpoint_file_cut_anywhere_is_named_and_passed_over) {
    make_two();
    const fs::path file = folder() / "20" / "CHECKPOINT";
    const std::string whole = contents(file);
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
        replace(file, whole.substr(0, bytes));
        ASSERT_TRUE(open().has_value());
        ASSERT_EQ(began_from(), 10u) << bytes;
        ASSERT_EQ(passed_over_.size(), 1u);
        ASSERT_EQ(passed_over_[0].path, (folder() / "20").string());
        ASSERT_EQ(passed_over_[0].why.kind, ErrorKind::corrupt);
    }
    fs::remove(file);
    ASSERT_TRUE(open().has_value());
    EXPECT_EQ(began_from(), 10u);
    EXPECT_EQ(all_of(*state_), "a=1 ");
    EXPECT_EQ(passed_over_.size(), 1u);
}

TEST_F(StateTest, a_damaged_file_of_the_newest_sends_it_back_to_the_older) {
    make_two();
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(folder() / "20")) {
        if (fs::hard_link_count(entry) <= 2) {  // live's and its own: not the older's
            files[entry.path().filename().string()] = contents(entry.path());
        }
    }
    EXPECT_GE(files.size(), 4u);  // CHECKPOINT, CURRENT, MANIFEST, a table
    const auto goes_back = [&](const std::string& what) {
        ASSERT_TRUE(open().has_value());
        if (began_from() == 20u) {  // a block of a table: seen when it is read
            const auto done = state_->scan("", [](auto, auto) { return Status{}; });
            ASSERT_FALSE(done.has_value()) << what;
            ASSERT_EQ(done.error().kind, ErrorKind::corrupt) << what;
            state_.reset();
            ASSERT_TRUE(states_->reject(partition).has_value());
            auto again = states_->open(partition, nullptr, passed_over_);
            ASSERT_TRUE(again.has_value());
            state_ = std::move(*again);
            fs::rename(folder() / "20.bad", folder() / "20");
        } else {
            ASSERT_EQ(passed_over_.size(), 1u) << what;
        }
        ASSERT_EQ(began_from(), 10u) << what;
        ASSERT_EQ(all_of(*state_), "a=1 ") << what;
    };
    for (const auto& [name, bytes] : files) {
        const fs::path file = folder() / "20" / name;
        for (const std::size_t at : {std::size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
            if (at < bytes.size()) {
                replace(file, bytes.substr(0, at));
                goes_back(name + " cut at " + std::to_string(at));
                std::string flipped = bytes;
                flipped[at] = static_cast<char>(flipped[at] ^ 1);
                replace(file, flipped);
                if (!name.ends_with(".sst") || at == 0) {
                    goes_back(name + " flipped at " + std::to_string(at));
                }
            }
        }
        replace(file, bytes);
    }
    ASSERT_TRUE(open().has_value());
    EXPECT_EQ(all_of(*state_), "a=2 b=2 ");
}

TEST_F(StateTest, one_of_a_newer_version_is_named_and_kept_until_it_is_overtaken) {
    make_two();
    const fs::path file = folder() / "20" / "CHECKPOINT";
    std::string bytes = contents(file);
    bytes[8] = 2;
    bytes.resize(bytes.size() - 4);
    for (std::uint32_t sum = crc32c(bytes), i = 0; i < 4; ++i) {
        bytes.push_back(static_cast<char>(sum >> (8 * i)));
    }
    replace(file, bytes);
    ASSERT_TRUE(open().has_value());
    EXPECT_EQ(began_from(), 10u);
    ASSERT_EQ(passed_over_.size(), 1u);
    EXPECT_NE(passed_over_[0].why.what.find("a newer version"), std::string::npos);
    ASSERT_TRUE(checkpoint(15).has_value());
    EXPECT_EQ(names(), (Names{"10", "15", "20", "live"}));
    ASSERT_TRUE(open().has_value());
    EXPECT_EQ(began_from(), 15u);
    EXPECT_EQ(passed_over_.size(), 1u);
    ASSERT_TRUE(checkpoint(20).has_value());
    EXPECT_EQ(names(), (Names{"15", "20", "live"}));
    ASSERT_TRUE(open().has_value());
    EXPECT_EQ(began_from(), 20u);
    EXPECT_TRUE(passed_over_.empty());
}

TEST_F(StateTest, one_of_another_data_directory_or_partition_is_passed_over) {
    make_two();
    ASSERT_TRUE(open(nullptr, LogId{{9}}).has_value());
    EXPECT_EQ(began_from(), std::nullopt);
    ASSERT_EQ(passed_over_.size(), 2u);
    EXPECT_NE(passed_over_[0].why.what.find("of another data directory"), std::string::npos);
    EXPECT_EQ(all_of(*state_), "");
    close();
    fs::rename(folder() / "20", folder() / "30");
    ASSERT_TRUE(open().has_value());
    EXPECT_EQ(began_from(), 10u);
    ASSERT_EQ(passed_over_.size(), 1u);
    EXPECT_EQ(passed_over_[0].why.kind, ErrorKind::conflict);
    close();
    fs::rename(folder() / "30", folder() / "20");
    fs::rename(folder(), folder().parent_path() / "4");
    states_ = *StateDirectory::open(options_, this_log);
    passed_over_.clear();
    state_ = *states_->open(4, nullptr, passed_over_);
    EXPECT_EQ(began_from(), std::nullopt);
    EXPECT_EQ(passed_over_.size(), 2u);
}

TEST_F(StateTest, the_room_judges_which_one_it_can_use) {
    make_two();
    ASSERT_TRUE(open([](const CheckpointHeader& header) {
                    return header.next == Offset{20} ? fail(ErrorKind::conflict, "not of the log")
                                                     : Status{};
                }).has_value());
    EXPECT_EQ(began_from(), 10u);
    ASSERT_EQ(passed_over_.size(), 1u);
    EXPECT_EQ(passed_over_[0].why.what, "not of the log");
}

TEST_F(StateTest, a_rejected_one_is_not_tried_again_and_leaves_when_overtaken) {
    make_two();
    ASSERT_TRUE(open().has_value());
    state_.reset();
    ASSERT_TRUE(states_->reject(partition).has_value());
    EXPECT_EQ(names(), (Names{"10", "20.bad"}));
    EXPECT_EQ(states_->kept_from(partition), std::nullopt);
    ASSERT_TRUE(open().has_value());
    EXPECT_TRUE(passed_over_.empty());
    EXPECT_EQ(began_from(), 10u);
    EXPECT_EQ(all_of(*state_), "a=1 ");
    ASSERT_TRUE(checkpoint(15).has_value());
    EXPECT_EQ(names(), (Names{"10", "15", "20.bad", "live"}));
    ASSERT_TRUE(checkpoint(25).has_value());
    EXPECT_EQ(names(), (Names{"15", "25", "live"}));
}

TEST_F(StateTest, with_both_rejected_it_begins_empty) {
    make_two();
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(open().has_value());
        state_.reset();
        ASSERT_TRUE(states_->reject(partition).has_value());
    }
    ASSERT_TRUE(open().has_value());
    EXPECT_EQ(began_from(), std::nullopt);
    EXPECT_EQ(all_of(*state_), "");
    state_.reset();
    EXPECT_TRUE(states_->reject(partition).has_value());
    ASSERT_TRUE(open().has_value());
    EXPECT_EQ(began_from(), std::nullopt);
}

/// What a kill leaves is what stands there when the hook runs: a copy of it is opened afterwards.
TEST_F(StateTest, a_crash_after_any_step_leaves_a_good_checkpoint) {
    make_two();
    std::vector<std::pair<std::string, fs::path>> copies;
    const auto copy_of = [&](std::string_view step) {
        const fs::path to = root_ / ("copy" + std::to_string(copies.size()));
        fs::create_directories(to);
        fs::copy(options_.directory, to / "engine", fs::copy_options::recursive);
        copies.emplace_back(step, to);
        return Status{};
    };
    options_.after_step = copy_of;
    ASSERT_TRUE(open().has_value());
    const std::size_t opening = copies.size();
    state_->put("a", "3");
    state_->erase("b");
    ASSERT_TRUE(checkpoint(30).has_value());
    options_.after_step = nullptr;
    EXPECT_GE(opening, 2u);
    EXPECT_GE(copies.size() - opening, 7u);
    bool named = false;
    for (const auto& [step, copy] : copies) {
        named = named || step == "named";
        open_copy(copy);
        EXPECT_TRUE(passed_over_.empty()) << step;
        EXPECT_EQ(began_from(), named ? 30u : 20u) << step;
        EXPECT_EQ(all_of(*state_), named ? "a=3 " : "a=2 b=2 ") << step;
        state_->put("c", "4");
        ASSERT_TRUE(checkpoint(40).has_value()) << step;
        EXPECT_EQ(names(), (Names{named ? "30" : "20", "40", "live"})) << step;
    }
    EXPECT_TRUE(named);
}

TEST_F(StateTest, what_a_crash_left_half_made_is_removed_at_open_and_nothing_else) {
    make_two();
    for (const char* name : {"30.new", "30.new.tmp", "5.old", "live", "live.7", "040", "x"}) {
        fs::create_directories(folder() / name / "in");
    }
    ASSERT_TRUE(open().has_value());
    EXPECT_TRUE(passed_over_.empty());
    EXPECT_EQ(names(), (Names{"040", "10", "20", "live", "x"}));
    ASSERT_TRUE(checkpoint(30).has_value());
    EXPECT_EQ(names(), (Names{"040", "20", "30", "live", "x"}));
}

TEST_F(StateTest, a_step_that_fails_leaves_it_frozen_and_is_made_good_later) {
    make_two();
    const Names steps{"entries written", "entries flushed", "files linked",
                      "described",       "named",           "named durably"};
    std::uint64_t next = 200;
    for (const std::string& failing : steps) {
        std::string armed = failing;
        options_.after_step = [&](std::string_view step) {
            return step == armed ? fail(ErrorKind::unavailable, "the disk is full") : Status{};
        };
        ASSERT_TRUE(open().has_value()) << failing;
        const std::string older = std::to_string(*began_from());
        state_->put("a", failing);
        state_->put("b", failing);
        next += 10;
        const auto failed = checkpoint(next);
        ASSERT_FALSE(failed.has_value()) << failing;
        EXPECT_EQ(failed.error().kind, ErrorKind::unavailable);
        EXPECT_FALSE(state_->write().has_value());
        EXPECT_EQ(*state_->get("a"), failing);
        state_->put("a", "later");
        state_->erase("b");
        next += 10;
        EXPECT_FALSE(checkpoint(next).has_value());
        EXPECT_EQ(*state_->get("a"), "later");
        armed.clear();
        ASSERT_TRUE(state_->write().has_value()) << failing;
        Names expected{older, std::to_string(next), "live"};
        std::sort(expected.begin(), expected.end());
        EXPECT_EQ(names(), expected) << failing;
        ASSERT_TRUE(open().has_value());
        EXPECT_EQ(began_from(), next);
        EXPECT_EQ(all_of(*state_), "a=later ");
        DigestSum digest;
        digest.add(hash_of_entry("a", "later"));
        EXPECT_EQ(state_->began_from()->digest, digest.value()) << failing;
    }
}

TEST_F(StateTest, a_disk_that_takes_no_more_is_unavailable_and_mends) {
    make_two();
    ASSERT_TRUE(open().has_value());
    state_->put("big", std::string(300'000, 'x'));
    for (const rlim_t limit : {0u, 100u, 100'000u}) {
        const auto full = [&] {
            const FileLimit small(limit);
            return checkpoint(30);
        }();
        ASSERT_FALSE(full.has_value()) << limit;
        EXPECT_EQ(full.error().kind, ErrorKind::unavailable) << full.error().message();
        EXPECT_EQ(*state_->get("a"), "2");
        EXPECT_EQ(state_->get("big")->value().size(), 300'000u);
        EXPECT_EQ(names(), (Names{"10", "20", "live"}));
    }
    state_->put("a", "3");
    const auto done = checkpoint(40);
    ASSERT_TRUE(done.has_value()) << done.error().message();
    EXPECT_EQ(names(), (Names{"20", "40", "live"}));
    ASSERT_TRUE(open().has_value());
    EXPECT_EQ(began_from(), 40u);
    EXPECT_EQ(*state_->get("a"), "3");
    EXPECT_EQ(state_->get("big")->value().size(), 300'000u);
}

TEST_F(StateTest, a_folder_that_goes_while_checkpoints_are_made_is_told_and_may_come_back) {
    const fs::path data = root_ / "state";
    for (const std::string how : {"moved", "replaced", "deleted"}) {
        close();
        fs::remove_all(data);
        make_two();
        ASSERT_TRUE(open().has_value());
        std::uint64_t next = 20;
        std::atomic<bool> gone = false;
        std::jthread writing([&](const std::stop_token& stop) {
            bool failed = false;
            // What is being written may be in the way of whoever deletes: then the folder stays.
            while (!stop.stop_requested() || (gone && !failed && !fs::exists(folder()))) {
                state_->put("a", std::to_string(next));
                failed = !checkpoint(next += 10) && gone;
                EXPECT_EQ(*state_->get("a"), std::to_string(next - 10));
            }
        });
        while (!fs::exists(folder() / "60")) {
            std::this_thread::yield();
        }
        if (how == "deleted") {
            std::error_code being_written;
            fs::remove_all(data, being_written);
        } else {
            fs::rename(data, root_ / "gone");
        }
        gone = how != "replaced";
        if (how == "replaced") {
            fs::create_directories(folder());
        }
        writing.request_stop();
        writing.join();
        close();
        if (how == "moved") {
            fs::remove_all(data);
            fs::rename(root_ / "gone", data);
            ASSERT_TRUE(open().has_value());
            EXPECT_GE(began_from().value_or(0), 60u);
        }
        fs::remove_all(root_ / "gone");
    }
}

/// RocksDB would wait a second each time, and all others that flush with it.
TEST_F(StateTest, a_failed_write_returns_at_once) {
    std::optional<FileLimit> none;
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < 5; ++i) {
        none.reset();
        ASSERT_TRUE(open().has_value());
        state_->put("a", "1");
        none.emplace(0);
        EXPECT_FALSE(checkpoint(10).has_value());
    }
    close();
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(4));
}

TEST_F(StateTest, a_stage_goes_on_while_its_state_is_written) {
    std::atomic<std::uint32_t> steps = 0;
    options_.after_step = [&](std::string_view) {
        return ++steps % 11 == 0 ? fail(ErrorKind::unavailable, "no") : Status{};
    };
    while (!open()) {
    }
    std::map<std::string, std::string> expected;
    std::uint64_t failures = 0;
    for (std::uint64_t next = 1; next <= 40; ++next) {
        for (int i = 0; i < 20; ++i) {
            const std::string key = std::to_string((next * 7 + static_cast<std::uint64_t>(i)) % 90);
            state_->put(key, std::to_string(next));
            expected[key] = std::to_string(next);
        }
        state_->freeze(header_at(next));
        std::atomic<bool> done = false;
        std::jthread writing([&] {
            failures += state_->write() ? 0 : 1;
            done = true;
        });
        for (bool last = false; !last;) {
            last = done;
            for (const auto& [key, value] : expected) {
                ASSERT_EQ(*state_->get(key), value);
            }
            state_->put("during", std::to_string(next));
        }
    }
    EXPECT_GT(failures, 0u);
    options_.after_step = nullptr;
    EXPECT_EQ(state_->get("during")->value(), "40");
}

TEST_F(StateTest, a_shrunk_value_keeps_the_digest_and_frees_bytes) {
    const auto run = [&](bool shrinking, const std::string& folder) {
        options_.directory = (root_ / folder / "engine").string();
        options_.shrink = nullptr;
        if (shrinking) {
            options_.shrink = [](std::string_view key, std::string_view value) {
                return key.starts_with("closed/") && value.size() > 10
                           ? std::optional(std::string(value.substr(0, 2)))
                           : std::nullopt;
            };
        }
        EXPECT_TRUE(open().has_value());
        std::uint64_t next = 0;
        for (int round = 0; round < 30; ++round) {
            for (int i = 0; i < 50; ++i) {
                state_->put("closed/" + std::to_string(round) + "/" + std::to_string(i),
                            "42" + std::string(500, 'c'));
                state_->put("open/" + std::to_string(i), std::to_string(round));
            }
            EXPECT_TRUE(checkpoint(next += 10).has_value());
        }
        EXPECT_TRUE(open().has_value());
        std::uint64_t bytes = 0;
        for (const auto& entry : fs::directory_iterator(this->folder() / std::to_string(next))) {
            bytes += fs::file_size(entry);
        }
        return std::pair(bytes, state_->began_from()->digest);
    };
    const auto [bytes, digest] = run(false, "kept");
    const auto [fewer, same] = run(true, "shrunk");
    EXPECT_LT(fewer, bytes / 2);
    EXPECT_EQ(same, digest);
    EXPECT_EQ(*state_->get("closed/0/0"), "42");
    state_->put("closed/0/0", "43");  // a shrunk one is replaced as what it was
    state_->erase("closed/0/1");
    EXPECT_TRUE(checkpoint(1000).has_value());
    ASSERT_TRUE(open().has_value());
    DigestSum expected(digest);
    expected.subtract(hash_of_entry("closed/0/0", "42" + std::string(500, 'c')));
    expected.subtract(hash_of_entry("closed/0/1", "42" + std::string(500, 'c')));
    expected.add(hash_of_entry("closed/0/0", "43"));
    EXPECT_EQ(state_->began_from()->digest, expected.value());
}

/// Random puts, erases, freezes, writes and reopenings against a map.
class StateHistoryTest : public StateTest {
protected:
    using Map = std::map<std::string, std::string>;

    std::uint32_t below(std::uint32_t n) { return random_() % n; }

    void begin(std::uint32_t seed) {
        random_.seed(seed);
        options_.directory = (root_ / ("s" + std::to_string(seed)) / "engine").string();
        options_.after_step = [this](std::string_view) {
            return failing_ && below(4) == 0 ? fail(ErrorKind::unavailable, "no") : Status{};
        };
        now_.clear();
        frozen_at_.reset();
        written_ = {{0, {}}};
        next_ = done_ = 0;
        ASSERT_TRUE(open().has_value());
    }

    void change() {
        const std::string key = "k" + std::to_string(below(40));
        if (below(3) == 0) {
            state_->erase(key);
            now_.erase(key);
        } else {
            const std::string value(below(50), static_cast<char>('a' + below(26)));
            state_->put(key, value);
            now_[key] = value;
        }
    }
    void look() {
        const std::string key = "k" + std::to_string(below(40));
        const auto found = now_.find(key);
        ASSERT_EQ(*state_->get(key),
                  found == now_.end() ? std::nullopt : std::optional(found->second));
    }
    void freeze() {
        state_->freeze(header_at(next_ += 1 + below(3)));
        frozen_ = now_;
        frozen_at_ = next_;
    }
    void write() {
        failing_ = below(4) == 0;
        const bool done = state_->write().has_value();
        ASSERT_TRUE(done || failing_);
        failing_ = false;
        if (frozen_at_) {
            written_[*frozen_at_] = frozen_;  // it may be there in spite of an error
            done_ = done ? *frozen_at_ : done_;
        }
    }
    void reopen() {
        ASSERT_TRUE(open().has_value());
        ASSERT_TRUE(passed_over_.empty());
        next_ = began_from().value_or(0);
        ASSERT_GE(next_, done_);
        ASSERT_TRUE(written_.contains(next_));
        now_ = written_[next_];
        frozen_at_.reset();
        Map found;
        const auto scanned = state_->scan("", [&](std::string_view key, std::string_view value) {
            found.emplace(key, value);
            return Status{};
        });
        ASSERT_TRUE(scanned.has_value());
        ASSERT_EQ(found, now_);
        DigestSum digest;
        for (const auto& [key, value] : now_) {
            digest.add(hash_of_entry(key, value));
        }
        ASSERT_EQ(next_ == 0 ? Digest128{} : state_->began_from()->digest, digest.value());
    }

private:
    std::mt19937 random_;
    bool failing_ = false;
    Map now_;
    Map frozen_;
    std::optional<std::uint64_t> frozen_at_;
    std::map<std::uint64_t, Map> written_;
    std::uint64_t next_ = 0;
    std::uint64_t done_ = 0;  ///< the highest that was written without an error
};

TEST_F(StateHistoryTest, any_history_is_a_map_and_equal_entries_have_equal_digests) {
    for (std::uint32_t seed = 1; seed <= 12; ++seed) {
        SCOPED_TRACE(seed);
        begin(seed);
        for (int step = 0; step < 400 && !HasFatalFailure(); ++step) {
            switch (below(20)) {
                case 15:
                case 16:
                    look();
                    break;
                case 17:
                    freeze();
                    break;
                case 18:
                    write();
                    break;
                case 19:
                    reopen();
                    break;
                default:
                    change();
            }
        }
    }
}

}  // namespace
}  // namespace helios::log
