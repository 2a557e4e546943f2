/// The log on a disk that loses power, fills up and lies about fsync, against a model of what was
/// acknowledged.
///
/// One seed is one history of several lives. In each life appends and transactions are made in
/// bursts that share an fsync, readers follow, the clock moves and jumps, and at a step drawn from
/// the seed the power fails or the process dies. After every restart:
///  - nothing acknowledged is missing, or elsewhere, or changed; nothing is there twice; nothing
///  that was refused is there
///  - what a reader was ever shown is there
///  - a transaction is there whole or not at all, and its group stands where the last one present
///  left it
///  - log time never falls along the whole log, and nothing appears behind a promise of
///  completeness
///  - what retention has dropped was old enough, or too much, and nobody held it; from where the
///  log begins since nothing is missing, and who would begin before it is told
/// A failing seed is printed with the command that repeats it.

#include <cstdlib>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>

#include "base/mutex.h"
#include "log/disk_log.h"
#include "log/records_test_kit.h"
#include "log/sim_disk.h"
#include "log/sim_test_kit.h"
#include "telemetry/telemetry.h"

namespace helios::log {
namespace {

/// Holds the first sync of a burst until the rest of the burst is queued behind it.
class Gate {
public:
    void close() {
        const MutexLock lock(mutex_);
        closed_ = true;
        held_ = false;
    }
    void open() {
        {
            const MutexLock lock(mutex_);
            closed_ = false;
        }
        changed_.notify_all();
    }
    void pass() {
        MutexLock lock(mutex_);
        held_ = true;
        changed_.notify_all();
        changed_.wait(lock, [&] { return !closed_; });
    }
    /// An answer came: whoever waits for the gate looks again.
    void nudge() {
        {
            const MutexLock lock(mutex_);
        }
        changed_.notify_all();
    }
    template <class Answered>
    void wait_held_or(Answered answered) {
        MutexLock lock(mutex_);
        changed_.wait(lock, [&] { return held_ || answered(); });
    }

private:
    Mutex mutex_;
    Condition changed_;
    bool closed_ = false;
    bool held_ = false;
};

struct Attempt {
    Record record;
    std::optional<std::uint64_t> transaction;
    enum class Fate { unknown, acknowledged, refused } fate = Fate::unknown;
    std::uint32_t partition = 0;
    Offset offset;
    Instant log_time{};
    bool shown = false;    ///< found in the log once: it must stay, where it is
    bool present = false;  ///< in the newest look
    bool dropped = false;  ///< past retention, and gone
};

struct Transaction {
    std::string group;
    Offsets to;
    std::vector<std::uint64_t> outputs;
    bool acknowledged = false;
    bool refused = false;
};

class History {
public:
    explicit History(std::uint64_t seed)
        : seed_(seed),
          random_(seed),
          disk_(seed, SimDisk::Durability::tracked),
          clock_(from_nanos(1'700'000'000'000'000'000)),
          telemetry_(clock_, telemetry::Level::off, lines_) {
        options_.directory = "sim";
        options_.partitions = 3;
        options_.segment_bytes = 64u << 10;
        options_.zero_ahead_bytes = one_of({0, 4096, 16384});
        options_.read_ahead_bytes = one_of({4096, 65536});
        options_.cache_bytes = one_of({0, 8192, 1u << 20});
        options_.group_bytes_max = one_of({4096, 32768});
        options_.reserve_bytes = one_of({0, 256u << 10});
        options_.scrub_interval = Duration::zero();
        options_.keep_interval = Duration::zero();
        options_.keep = std::chrono::hours(one_of({0, 1, 12}));
        options_.keep_bytes_max = one_of({0, 0, 200'000});
        options_.retry_interval =
            std::chrono::hours(1);  // the timer never fires: steps depend on the seed alone
        disk_.on_sync([this] { gate_.pass(); });
    }

    void run() {
        const std::uint64_t lives = 2 + below(6);
        for (std::uint64_t life = 0; life < lives && !::testing::Test::HasFailure(); ++life) {
            live(life + 1 == lives);
        }
    }

private:
    std::uint64_t below(std::uint64_t n) { return random_() % n; }
    std::uint64_t one_of(std::initializer_list<std::uint64_t> choices) {
        return *(choices.begin() + below(choices.size()));
    }
    std::string name() const { return fmt::format("HELIOS_SIM_SEED={} log_sim", seed_); }

    Result<std::unique_ptr<Log>> open() {
        return open_disk_log(options_,
                             {{topic::events, "events", RetentionClass::data, 0},
                              {topic::cases, "cases", RetentionClass::data, 2},
                              {topic::flows, "flows", RetentionClass::control, 1}},
                             disk_, clock_, telemetry_);
    }

    void live(bool last) {
        disk_.short_reads(below(2) == 0);
        disk_.set_capacity(0);
        if (!last && below(4) != 0) {
            disk_.crash_after(1 + below(below(3) == 0 ? 40 : 400));
        }
        auto opened = open();
        if (!opened) {
            ASSERT_TRUE(disk_.crashed()) << name() << ": cannot open: " << opened.error().message();
            restart();
            return;
        }
        log_ = std::move(*opened);
        note_dropped();
        log_->keep({{"somebody", [this]() -> Result<Offsets> { return held_; }}});
        inspect();
        if (::testing::Test::HasFailure()) {
            return;
        }
        start_reader();
        const std::uint64_t bursts = 4 + below(40);
        for (std::uint64_t i = 0; i < bursts && !disk_.crashed(); ++i) {
            act();
        }
        reader_.reset();
        if (below(2) == 0) {
            disk_.cut_power();  // else an orderly end, if the power lasts
        }
        log_.reset();
        restart();
    }

    void restart() {
        if (below(3) == 0) {
            disk_.restart_process();
        } else {
            disk_.power_cycle();
        }
        if (below(4) == 0) {
            clock_.jump_wall(-Duration(std::chrono::seconds(below(100))));
        }
    }

    void act() {
        switch (below(14)) {
            case 0:
                clock_.advance(Duration(below(1'000'000)));
                break;
            case 1:
                clock_.jump_wall(
                    Duration(static_cast<std::int64_t>(below(2'000'000'000)) - 1'000'000'000));
                break;
            case 2:
                disk_.fail_sync_after(1 + below(3));
                break;
            case 3:
                disk_.set_capacity(below(2) == 0 ? 0 : disk_.bytes_used() + below(100'000));
                clock_.advance(options_.retry_interval);
                break;
            case 4:
            case 5:
                follow();
                break;
            case 6:
                clock_.advance(std::chrono::minutes(below(120)));
                break;
            case 7:
                drop();
                break;
            default:
                burst(1 + below(6));
                break;
        }
    }

    // The holder needs what comes from some record on, or nothing, or does not know.
    void hold() {
        if (below(4) == 0) {
            held_ = fail(ErrorKind::unavailable, "nobody knows");
            return;
        }
        held_ = Offsets{};
        if (below(2) == 0 || attempts_.empty()) {
            return;
        }
        const auto& [id, made] =
            *std::next(attempts_.begin(), static_cast<std::ptrdiff_t>(below(attempts_.size())));
        if (made.fate == Attempt::Fate::acknowledged) {
            (*held_)[{made.record.topic, made.partition}] = Offset{made.offset.value + below(2)};
        }
    }

    void drop() {
        hold();
        static_cast<void>(log_->drop_expired());
        note_dropped();
        ASSERT_TRUE(log_->check_files() || disk_.crashed()) << name();
        if (!disk_.crashed() && below(2) == 0) {
            describe();
        }
    }

    // What is below the beginning is judged by what retention could know when it took it.
    void note_dropped() {
        const Kept data = log_->kept().at(0);
        ASSERT_EQ(log_->kept().at(1).begin, Offset{0}) << name() << ": control is kept for ever";
        ASSERT_GE(data.begin, begin_) << name() << ": what was dropped is back";
        const bool moved = data.begin > begin_;
        ASSERT_TRUE(!moved || held_) << name() << ": dropped although a hold was not known";
        begin_ = data.begin;
        const bool by_time = options_.keep > Duration::zero();
        for (auto& [id, made] : attempts_) {
            const bool placed = made.fate == Attempt::Fate::acknowledged || made.shown;
            if (made.dropped || !placed || made.record.topic == topic::flows ||
                made.offset >= begin_) {
                continue;
            }
            made.dropped = true;
            made.present = false;
            ASSERT_LE(made.log_time, data.dropped_until) << name();
            const bool old = by_time && made.log_time < log_->now() - options_.keep;
            ASSERT_TRUE(old || options_.keep_bytes_max > 0)
                << name() << ": record " << id << " was dropped too early";
            const auto needed = held_->find({made.record.topic, made.partition});
            ASSERT_TRUE(needed == held_->end() || made.offset < needed->second)
                << name() << ": record " << id << " was held, and dropped";
        }
    }

    // Figures against what was found.
    void describe() {
        const auto partitions = *log_->describe();
        for (const PartitionInfo& info : partitions) {
            std::uint64_t least = ~std::uint64_t{0};
            std::uint64_t records = 0;
            for (const auto& [id, made] : attempts_) {
                const bool placed = made.fate == Attempt::Fate::acknowledged || made.shown;
                if (placed && !made.dropped && made.record.topic == info.id.topic &&
                    made.partition == info.id.index) {
                    least = std::min(least, made.offset.value);
                    ++records;
                }
            }
            ASSERT_EQ(info.records, records) << name() << ": " << info.topic;
            ASSERT_TRUE(records == 0 || info.first == Offset{least}) << name();
        }
    }

    // The first call's group is held in its sync until the others are queued: they share the next
    // group.
    void burst(std::uint64_t calls) {
        answered_ = 0;
        planned_.clear();
        for (const auto& [group, at] : groups_) {
            planned_[group] = at;
        }
        if (calls > 1) {
            gate_.close();
        }
        for (std::uint64_t i = 0; i < calls; ++i) {
            if (below(3) == 0) {
                transact();
            } else {
                append();
            }
            if (i == 0 && calls > 1) {
                gate_.wait_held_or([&] { return answered() > 0; });
            }
        }
        gate_.open();
        MutexLock lock(mutex_);
        settled_.wait(lock, [&] { return answered_ == calls; });
        lock.unlock();
        adopt_groups();
    }

    std::uint64_t answered() {
        const MutexLock lock(mutex_);
        return answered_;
    }
    void count_answer() {
        {
            const MutexLock lock(mutex_);
            ++answered_;
            settled_.notify_all();
        }
        gate_.nudge();
    }

    Record make_record(bool control, std::uint64_t id) {
        Record record;
        record.topic = control ? topic::flows : below(3) == 0 ? topic::cases : topic::events;
        record.type = static_cast<std::uint16_t>(below(100));
        record.version = static_cast<std::uint8_t>(below(5));
        record.payload_key_id = static_cast<std::uint32_t>(below(3));
        record.key = fmt::format("key-{}", below(50));
        const std::uint64_t size = below(20) == 0 ? below(30'000) : below(300);
        record.value =
            fmt::format("{}:", id) + std::string(size, static_cast<char>('a' + below(26)));
        return record;
    }

    std::uint64_t attempt(bool control, std::optional<std::uint64_t> transaction) {
        const std::uint64_t id = next_id_++;
        Attempt& made = attempts_[id];
        made.record = make_record(control, id);
        made.transaction = transaction;
        return id;
    }

    void append() {
        std::vector<Record> records;
        std::vector<std::uint64_t> ids;
        const std::uint64_t count = 1 + below(below(4) == 0 ? 30 : 4);
        MutexLock building(mutex_);  // earlier calls are being answered
        for (std::uint64_t i = 0; i < count; ++i) {
            ids.push_back(attempt(below(6) == 0, std::nullopt));
            records.push_back(attempts_[ids.back()].record);
        }
        building.unlock();
        log_->append(std::move(records), [this, ids](std::span<const AppendOutcome> outcomes) {
            {
                const MutexLock lock(mutex_);
                ASSERT_EQ(outcomes.size(), ids.size()) << name();
                for (std::size_t i = 0; i < ids.size(); ++i) {
                    note(attempts_[ids[i]], outcomes[i]);
                }
            }
            count_answer();
        });
    }

    void note(Attempt& made, const AppendOutcome& outcome) {
        if (!outcome) {
            return refuse(made, outcome.error());
        }
        made.fate = Attempt::Fate::acknowledged;
        made.partition = outcome->at.partition.index;
        made.offset = outcome->at.offset;
        made.log_time = outcome->log_time;
    }
    // A failed write may still be found after a crash; only what was refused before it was tried
    // never may.
    void refuse(Attempt& made, const Error& error) {
        if (error.kind == ErrorKind::exhausted || error.kind == ErrorKind::invalid ||
            error.kind == ErrorKind::conflict) {
            made.fate = Attempt::Fate::refused;
        }
    }

    void transact() {
        MutexLock building(mutex_);  // earlier calls are being answered
        const std::uint64_t id = transactions_.size();
        const std::string group = below(2) == 0 ? "route" : "engine";
        Transaction& made = transactions_[id];
        made.group = group;
        GroupOffsets offsets{group, planned_[group], {}};
        const Partition moved{topic::events, static_cast<std::uint32_t>(below(3))};
        offsets.from[moved];
        offsets.to = offsets.from;
        offsets.to[moved].value += 1 + below(1000);
        const bool stale = below(8) == 0;
        if (stale) {
            offsets.from[moved].value += 1'000'000;
        }
        made.to = offsets.to;
        const bool control = below(5) == 0;
        std::vector<Record> outputs;
        for (std::uint64_t n = below(4); n > 0; --n) {
            made.outputs.push_back(attempt(control, id));
            outputs.push_back(attempts_[made.outputs.back()].record);
        }
        if (!stale) {
            planned_[group] = offsets.to;
        }
        building.unlock();
        log_->transact(std::move(outputs), std::move(offsets),
                       [this, id, stale](Result<std::vector<Appended>> outcome) {
                           {
                               const MutexLock lock(mutex_);
                               Transaction& known = transactions_[id];
                               known.acknowledged = outcome.has_value();
                               known.refused =
                                   !outcome && outcome.error().kind != ErrorKind::unavailable;
                               EXPECT_FALSE(stale && outcome)
                                   << name() << ": a transaction from the wrong offset was taken";
                               for (std::size_t i = 0; i < known.outputs.size(); ++i) {
                                   Attempt& output = attempts_[known.outputs[i]];
                                   if (outcome) {
                                       note(output, (*outcome)[i]);
                                   } else {
                                       refuse(output, outcome.error());
                                   }
                               }
                               if (outcome) {
                                   acknowledged_order_.push_back(id);
                               }
                           }
                           count_answer();
                       });
    }

    void adopt_groups() {
        for (const std::uint64_t id : acknowledged_order_) {
            groups_[transactions_[id].group] = transactions_[id].to;
        }
        acknowledged_order_.clear();
        for (const auto& [group, at] : groups_) {
            const auto committed = log_->committed(group);
            ASSERT_TRUE(committed) << name();
            for (const auto& [id, offset] : at) {
                const auto found = committed->find(id);
                ASSERT_EQ(found == committed->end() ? Offset{0} : found->second, offset)
                    << name() << ": group " << group << " on " << to_text(*log_, id);
            }
        }
    }

    Offsets beginnings() {
        Offsets from;
        for (const TopicId topic : {topic::events, topic::cases, topic::flows}) {
            for (const auto& id : log_->partitions_of(topic)) {
                from[id] = {};
            }
        }
        return from;
    }

    /// Where the log begins now. Who asks for everything is refused if something of it is gone.
    Result<std::unique_ptr<Reader>> read_all() {
        bool gone = false;
        for (const auto& [id, made] : attempts_) {
            gone = gone || made.dropped;
        }
        auto everything = log_->read(beginnings());
        EXPECT_EQ(everything.has_value(), !gone) << name();
        if (everything) {
            return everything;
        }
        EXPECT_EQ(everything.error().kind, ErrorKind::not_found) << name();
        std::vector<Partition> ids;
        for (const auto& [id, offset] : beginnings()) {
            ids.push_back(id);
        }
        HELIOS_TRY_ASSIGN(auto from, log_start(*log_, ids));
        return log_->read(std::move(from));
    }

    void start_reader() {
        auto reader = read_all();
        ASSERT_TRUE(reader) << name() << ": " << reader.error().message();
        reader_ = std::move(*reader);
        reader_complete_ = {};
        reader_last_ = {};
    }

    static std::uint64_t id_of(std::string_view value) {
        return std::strtoull(std::string(value.substr(0, value.find(':'))).c_str(), nullptr, 10);
    }

    // What a reader is shown is durable: it is marked, and must be there for ever.
    void follow() {
        if (!reader_) {
            return;
        }
        auto batch = reader_->poll(1 + below(50), 1 + below(20'000), Duration::zero());
        if (!batch && batch.error().kind == ErrorKind::not_found) {
            EXPECT_GT(begin_, Offset{0}) << name() << ": " << batch.error().message();
            return start_reader();
        }
        if (!batch) {
            EXPECT_TRUE(disk_.crashed()) << name() << ": " << batch.error().message();
            return;
        }
        for (const StoredRecord& record : batch->records) {
            EXPECT_GE(record.log_time, reader_complete_)
                << name() << ": a record behind the promise of completeness";
            EXPECT_GE(record.log_time, reader_last_) << name();
            reader_last_ = record.log_time;
            attempts_[id_of(record.value)].shown = true;
            keep(attempts_[id_of(record.value)], record);
        }
        EXPECT_GE(batch->complete_below, reader_complete_) << name();
        reader_complete_ = batch->complete_below;
        EXPECT_LE(reader_complete_, log_->low_watermark()) << name();
    }

    void keep(Attempt& made, const StoredRecord& record) {
        made.partition = record.at.partition.index;
        made.offset = record.at.offset;
        made.log_time = record.log_time;
    }

    // The whole log against the model.
    void inspect() {
        for (auto& [id, made] : attempts_) {
            made.present = false;
        }
        auto reader = read_all();
        ASSERT_TRUE(reader) << name() << ": " << reader.error().message();
        Instant last{};
        const std::size_t step = 1 + below(100);
        for (;;) {
            auto batch = (*reader)->poll(step, 1u << 20, Duration::zero());
            ASSERT_TRUE(batch || disk_.crashed()) << name() << ": " << batch.error().message();
            if (!batch) {
                return;
            }
            if (batch->records.empty()) {
                break;
            }
            for (const StoredRecord& record : batch->records) {
                inspect(record, last);
            }
            if (::testing::Test::HasFailure()) {
                return;
            }
        }
        ASSERT_TRUE(log_->damage().empty())
            << name() << ": damage: " << log_->damage()[0].file << " " << log_->damage()[0].begin
            << " " << log_->damage()[0].what;
        for (const auto& [id, made] : attempts_) {
            const bool must = made.fate == Attempt::Fate::acknowledged || made.shown;
            ASSERT_FALSE(made.present && made.dropped) << name() << ": " << id << " is back";
            ASSERT_TRUE(made.present || !must || made.dropped)
                << name() << ": record " << id << " is missing at "
                << to_text(*log_, {made.record.topic, made.partition}) << "@" << made.offset.value;
            ASSERT_FALSE(made.present && made.fate == Attempt::Fate::refused)
                << name() << ": record " << id << " was refused and is there";
        }
        inspect_transactions();
        for (auto& [id, made] : attempts_) {
            made.shown = made.shown || made.present;
        }
    }

    void inspect(const StoredRecord& record, Instant& last) {
        const std::uint64_t id = id_of(record.value);
        ASSERT_TRUE(attempts_.contains(id)) << name() << ": a record that nobody appended";
        Attempt& made = attempts_[id];
        ASSERT_FALSE(made.present) << name() << ": record " << id << " is there twice";
        made.present = true;
        ASSERT_GE(record.log_time, last) << name() << ": log time falls";
        last = record.log_time;
        ASSERT_EQ(record.at.partition.topic, made.record.topic) << name();
        ASSERT_EQ(record.key, made.record.key) << name();
        ASSERT_EQ(record.value, made.record.value) << name();
        ASSERT_EQ(record.type, made.record.type) << name();
        ASSERT_EQ(record.version, made.record.version) << name();
        ASSERT_EQ(record.payload_key_id, made.record.payload_key_id) << name();
        if (made.fate == Attempt::Fate::acknowledged || made.shown) {
            ASSERT_EQ(record.at.offset, made.offset) << name() << ": record " << id << " has moved";
            ASSERT_EQ(record.at.partition.index, made.partition) << name();
            ASSERT_EQ(record.log_time, made.log_time) << name();
        }
        keep(made, record);
        if (below(8) == 0) {
            const auto one = log_->read_at(record.at);
            ASSERT_TRUE(one || disk_.crashed()) << name() << ": " << one.error().message();
            ASSERT_TRUE(!one || one->records.at(0).value == record.value) << name();
        }
    }

    void inspect_transactions() {
        for (const std::uint64_t id : acknowledged_order_) {
            groups_[transactions_[id].group] = transactions_[id].to;
        }
        acknowledged_order_.clear();
        for (auto& [id, made] : transactions_) {
            std::size_t there = 0;
            std::size_t dropped = 0;
            for (const std::uint64_t output : made.outputs) {
                there += attempts_[output].present ? 1 : 0;
                dropped += attempts_[output].dropped ? 1 : 0;
            }
            if (dropped > 0) {
                ASSERT_EQ(dropped, made.outputs.size())
                    << name() << ": half of transaction " << id << " was dropped";
                continue;
            }
            ASSERT_TRUE(there == 0 || there == made.outputs.size())
                << name() << ": half of transaction " << id << " is there";
            if (there > 0) {
                made.acknowledged = true;  // it happened, whoever was told
            }
        }
        for (const char* group : {"route", "engine"}) {
            auto committed = log_->committed(group);
            ASSERT_TRUE(committed) << name();
            Offsets now;
            for (const auto& [id, offset] : *committed) {
                now[id] = offset;
            }
            const Offsets& known = groups_[group];
            if (now == known) {
                continue;
            }
            // Not where the last answer left it: then an unanswered transaction survived, and it
            // must say exactly this.
            bool explained = false;
            for (const auto& [id, made] : transactions_) {
                if (made.group != group || made.refused || made.to != now) {
                    continue;
                }
                bool whole = true;
                for (const std::uint64_t output : made.outputs) {
                    whole = whole && (attempts_[output].present || attempts_[output].dropped);
                }
                explained = explained || whole;
            }
            ASSERT_TRUE(explained)
                << name() << ": group " << group << " stands where no transaction put it";
            groups_[group] = now;
        }
    }

    const std::uint64_t seed_;
    std::mt19937_64 random_;
    Gate gate_;
    SimDisk disk_;
    ManualClock clock_;
    std::vector<std::string> lines_;
    telemetry::Telemetry telemetry_;
    DiskLogOptions options_;
    std::unique_ptr<Log> log_;
    std::unique_ptr<Reader> reader_;
    Instant reader_complete_{};
    Instant reader_last_{};
    Offset begin_{};  ///< of the data journal, as last seen
    Result<Offsets> held_;

    Mutex mutex_;
    Condition settled_;
    std::uint64_t answered_ = 0;
    std::uint64_t next_id_ = 1;
    std::map<std::uint64_t, Attempt> attempts_;
    std::map<std::uint64_t, Transaction> transactions_;
    std::vector<std::uint64_t> acknowledged_order_;
    std::map<std::string, Offsets> groups_;
    std::map<std::string, Offsets> planned_;
};

TEST(LogSimulation, survives_every_crash) {
    run_seeds(250, [](std::uint64_t seed) { History(seed).run(); });
}

}  // namespace
}  // namespace helios::log
