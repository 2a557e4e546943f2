#include "log/disk_state.h"

#include <algorithm>
#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>
#include <unordered_map>

#include "base/assert.h"
#include "base/mutex.h"
#include "log/rocks.h"
#include "log/state_entry.h"

namespace helios::log {

namespace {

/// Beside the entries, none of which has an empty key.
constexpr std::string_view header_key;
constexpr std::uint64_t seconds_per_day = 86'400;

rocksdb::Slice slice(std::string_view text) {
    return {text.data(), text.size()};
}
std::string_view view(const rocksdb::Slice& s) {
    return {s.data(), s.size()};
}

/// What a read or write of an open database means to the caller.
Error error_of(const rocksdb::Status& status, const std::string& path, std::string_view doing) {
    const bool damaged = status.IsCorruption() || status.IsInvalidArgument() ||
                         status.IsNotSupported() || status.IsPathNotFound() || status.IsNotFound();
    return {damaged ? ErrorKind::corrupt : ErrorKind::unavailable,
            path + ", " + std::string(doing) + ": " + status.ToString(),
            damaged ? "it is made anew from an older checkpoint"
                    : "check space and permissions of the data directory"};
}

/// A write that failed is tried again on a database made anew, whatever the reason.
Error unavailable(const rocksdb::Status& status, const std::string& path) {
    return {ErrorKind::unavailable, path + ", writing: " + status.ToString(),
            "check space and permissions of the data directory"};
}

Status unless_corrupt_unavailable(Status done) {
    if (!done && done.error().kind != ErrorKind::corrupt) {
        done.error().kind = ErrorKind::unavailable;
    }
    return done;
}

class ShrinkFilter final : public rocksdb::CompactionFilter {
public:
    explicit ShrinkFilter(const Shrink& shrink) : shrink_(shrink) {}
    const char* Name() const override { return "helios.shrink"; }
    bool Filter(int, const rocksdb::Slice& key, const rocksdb::Slice& value, std::string* smaller,
                bool* changed) const override {
        if (view(key) != header_key) {
            if (auto shrunk = shrink_entry(view(key), view(value), shrink_)) {
                *smaller = *std::move(shrunk);
                *changed = true;
            }
        }
        return false;  // removes nothing
    }

private:
    const Shrink& shrink_;
};

class ShrinkFilters final : public rocksdb::CompactionFilterFactory {
public:
    explicit ShrinkFilters(Shrink shrink) : shrink_(std::move(shrink)) {}
    const char* Name() const override { return "helios.shrinks"; }
    std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
        const rocksdb::CompactionFilter::Context&) override {
        return std::make_unique<ShrinkFilter>(shrink_);
    }

private:
    const Shrink shrink_;
};

rocksdb::Options rocks_options(const DiskStateOptions& options) {
    rocksdb::Options out;
    out.table_factory = table_factory(options.cache, 8u << 10);
    out.env = options.env.get();
    out.compression = rocksdb::kNoCompression;
    // A memtable is there for the moment between a batch and its flush. One that a batch overfills
    // is flushed with all of it.
    out.write_buffer_size = 4u << 20;
    out.arena_block_size = 64u << 10;
    out.allow_concurrent_memtable_write = false;
    // A flush every ten seconds: levels would rewrite everything again and again.
    out.compaction_style = rocksdb::kCompactionStyleUniversal;
    out.level0_file_num_compaction_trigger = 6;
    out.max_background_jobs = 2;
    out.max_open_files = 64;
    // It is copied and summed for every checkpoint.
    out.max_manifest_file_size = 1u << 20;
    out.max_bgerror_resume_count = 0;  // write() begins again from a checkpoint
    out.skip_stats_update_on_db_open = true;
    out.avoid_flush_during_shutdown = true;
    out.stats_dump_period_sec = 0;
    out.stats_persist_period_sec = 0;
    out.fail_if_options_file_error = false;  // nobody reads it
    out.info_log = silent_logger();
    if (options.shrink) {
        out.compaction_filter_factory = std::make_shared<ShrinkFilters>(options.shrink);
        out.periodic_compaction_seconds = seconds_per_day;
    }
    return out;
}

/// absent: erased.
struct KeyHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const { return xxh3_64(key); }
};
using Changes =
    std::unordered_map<std::string, std::optional<std::string>, KeyHash, std::equal_to<>>;

struct Frozen {
    CheckpointHeader header;
    Changes changes;
};

/// What it means that a checkpoint's files can't be read now.
enum class Unreadable { damaged, try_again };

/// An open `live/`; removed with it.
class Database {
public:
    static Result<std::shared_ptr<Database>> open(Checkpoints& checkpoints,
                                                  const std::optional<CheckpointContent>& from,
                                                  const DiskStateOptions& options,
                                                  Unreadable unreadable);
    Database(const Checkpoints& checkpoints, std::string path, std::unique_ptr<rocksdb::DB> db)
        : checkpoints_(checkpoints), path_(std::move(path)), db_(std::move(db)) {}
    ~Database() {
        static_cast<void>(db_->Close());
        static_cast<void>(checkpoints_.remove(path_));  // what stays is removed by clean()
    }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    rocksdb::DB* operator->() const { return db_.get(); }
    rocksdb::DB* get() const { return db_.get(); }
    const std::string& path() const { return path_; }
    /// False: no such key.
    Result<bool> get(std::string_view key, rocksdb::PinnableSlice& value) const;

private:
    const Checkpoints& checkpoints_;
    const std::string path_;
    const std::unique_ptr<rocksdb::DB> db_;
};

Result<bool> Database::get(std::string_view key, rocksdb::PinnableSlice& value) const {
    const auto status =
        db_->Get(rocksdb::ReadOptions(), db_->DefaultColumnFamily(), slice(key), &value);
    if (!status.ok() && !status.IsNotFound()) {
        return fail(error_of(status, path_, "reading"));
    }
    return status.ok();
}

Result<std::shared_ptr<Database>> Database::open(Checkpoints& checkpoints,
                                                 const std::optional<CheckpointContent>& from,
                                                 const DiskStateOptions& options,
                                                 Unreadable unreadable) {
    HELIOS_TRY_ASSIGN(const std::string path, checkpoints.make_live(from));
    rocksdb::Options rocks = rocks_options(options);
    rocks.create_if_missing = !from;
    rocks.error_if_exists = !from;
    rocksdb::DB* raw = nullptr;
    const auto status = rocksdb::DB::Open(rocks, path, &raw);
    if (!status.ok()) {
        static_cast<void>(checkpoints.remove(path));
        auto error = error_of(status, path, "opening");
        if (from && !status.IsNoSpace() && unreadable == Unreadable::damaged) {
            error.kind = ErrorKind::corrupt;  // an older one may do
        }
        return fail(std::move(error));
    }
    auto database =
        std::make_shared<Database>(checkpoints, path, std::unique_ptr<rocksdb::DB>(raw));
    rocksdb::PinnableSlice kept;
    HELIOS_TRY_ASSIGN(const bool found, database->get(header_key, kept));
    if (found != from.has_value() || (from && view(kept) != encode_header(from->header))) {
        return fail(ErrorKind::corrupt, "its files are those of another checkpoint");
    }
    return database;
}

class DiskState final : public State {
public:
    DiskState(Checkpoints& checkpoints, std::shared_ptr<Database> database,
              std::optional<CheckpointHeader> header, DiskStateOptions options)
        : checkpoints_(checkpoints),
          options_(std::move(options)),
          began_from_(std::move(header)),
          database_(std::move(database)),
          digest_(began_from_ ? DigestSum(began_from_->digest) : DigestSum()) {}

    const std::optional<CheckpointHeader>& began_from() const override { return began_from_; }
    Result<std::optional<std::string>> get(std::string_view key) override;
    Status scan(std::string_view prefix,
                const std::function<Status(std::string_view, std::string_view)>& entry) override;
    void put(std::string key, std::string value) override {
        HELIOS_ASSERT(!key.empty(), "a key has at least one byte");
        changes_.insert_or_assign(std::move(key), std::move(value));
    }
    void erase(std::string key) override {
        HELIOS_ASSERT(!key.empty(), "a key has at least one byte");
        changes_.insert_or_assign(std::move(key), std::nullopt);
    }
    std::size_t changes() const override { return changes_.size(); }
    void freeze(CheckpointHeader header) override;
    Status write() override;

private:
    Result<DigestSum> prepare(const Changes& changes, rocksdb::WriteBatch& batch);
    Status write_entries(Frozen& frozen);
    Status make_checkpoint(const CheckpointHeader& header);
    Status begin_again();

    Checkpoints& checkpoints_;
    const DiskStateOptions options_;
    const std::optional<CheckpointHeader> began_from_;

    Changes changes_;  ///< since the last freeze; the stage's thread
    Mutex mutex_;      ///< guards the two pointers
    std::unique_ptr<Frozen> frozen_;
    std::shared_ptr<Database> database_;

    // What writes.
    DigestSum digest_;     ///< of what stands in the database, flushed or not
    bool failed_ = false;  ///< the database may refuse to write until it is resumed
};

Result<std::optional<std::string>> DiskState::get(std::string_view key) {
    if (const auto found = changes_.find(key); found != changes_.end()) {
        return found->second;
    }
    std::shared_ptr<Database> database;
    {
        const MutexLock lock(mutex_);
        if (frozen_) {
            if (const auto found = frozen_->changes.find(key); found != frozen_->changes.end()) {
                return found->second;
            }
        }
        database = database_;
    }
    rocksdb::PinnableSlice stored;
    HELIOS_TRY_ASSIGN(const bool found, database->get(key, stored));
    if (!found) {
        return std::nullopt;
    }
    HELIOS_TRY_ASSIGN(const std::string_view value, decode_entry(key, view(stored)));
    return std::string(value);
}

Status DiskState::scan(std::string_view prefix,
                       const std::function<Status(std::string_view, std::string_view)>& entry) {
    HELIOS_ASSERT(changes_.empty() && !frozen_, "a scan comes before the first put");
    rocksdb::ReadOptions reading;
    reading.fill_cache = false;
    reading.readahead_size = 1u << 20;
    const std::unique_ptr<rocksdb::Iterator> at((*database_)->NewIterator(reading));
    for (at->Seek(slice(prefix)); at->Valid() && at->key().starts_with(slice(prefix)); at->Next()) {
        const std::string_view key = view(at->key());
        if (key != header_key) {
            HELIOS_TRY_ASSIGN(const std::string_view value, decode_entry(key, view(at->value())));
            HELIOS_TRY(entry(key, value));
        }
    }
    return at->status().ok() ? Status{}
                             : fail(error_of(at->status(), database_->path(), "reading all of it"));
}

void DiskState::freeze(CheckpointHeader header) {
    auto frozen = std::make_unique<Frozen>(std::move(header), std::move(changes_));
    changes_.clear();
    const MutexLock lock(mutex_);
    if (frozen_) {
        frozen->changes.merge(frozen_->changes);  // what is newer stays
    }
    frozen_ = std::move(frozen);
}

/// Only what is here has to be written: after a failure it is the same again, and more.
Result<DigestSum> DiskState::prepare(const Changes& changes, rocksdb::WriteBatch& batch) {
    std::vector<const Changes::value_type*> order;  // neighbours are inserted faster in order
    order.reserve(changes.size());
    for (const auto& change : changes) {
        order.push_back(&change);
    }
    std::sort(order.begin(), order.end(),
              [](const auto* a, const auto* b) { return a->first < b->first; });
    DigestSum digest = digest_;
    rocksdb::PinnableSlice replaced;
    for (const auto* change : order) {
        const auto& [key, value] = *change;
        replaced.Reset();
        HELIOS_TRY_ASSIGN(const bool found, database_->get(key, replaced));
        if (found) {
            HELIOS_TRY_ASSIGN(const Digest128 hash, hash_in_entry(view(replaced)));
            digest.subtract(hash);
        } else if (!value) {
            continue;  // put and erased between two checkpoints
        }
        if (value) {
            const std::string stored = encode_entry(key, *value);
            HELIOS_TRY_ASSIGN(const Digest128 hash, hash_in_entry(stored));
            digest.add(hash);
            batch.Put(slice(key), slice(stored));
        } else {
            batch.Delete(slice(key));
        }
    }
    return digest;
}

Status DiskState::write_entries(Frozen& frozen) {
    rocksdb::WriteBatch batch;
    HELIOS_TRY_ASSIGN(const DigestSum digest, prepare(frozen.changes, batch));
    frozen.header.digest = digest.value();
    batch.Put(slice(header_key), slice(encode_header(frozen.header)));
    rocksdb::WriteOptions writing;
    writing.disableWAL = true;
    if (const auto status = (*database_)->Write(writing, &batch); !status.ok()) {
        return fail(unavailable(status, database_->path()));
    }
    digest_ = digest;
    HELIOS_TRY(checkpoints_.after("entries written"));
    if (const auto status = flush(*database_->get(), {(*database_)->DefaultColumnFamily()});
        !status.ok()) {
        return fail(unavailable(status, database_->path()));
    }
    return checkpoints_.after("entries flushed");
}

Status DiskState::make_checkpoint(const CheckpointHeader& header) {
    HELIOS_TRY_ASSIGN(const std::string path, checkpoints_.make_room(header.next));
    rocksdb::Checkpoint* made = nullptr;
    auto status = rocksdb::Checkpoint::Create(database_->get(), &made);
    const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
    if (status.ok()) {
        status = checkpoint->CreateCheckpoint(path);
    }
    if (!status.ok()) {
        return fail(unavailable(status, path));
    }
    HELIOS_TRY(checkpoints_.after("files linked"));
    return checkpoints_.finish(header);
}

/// What is frozen is all that has changed since the newest checkpoint. So a database that will not
/// write any more, whatever ails it, can be made anew from there. A disk that still fails says
/// nothing against the checkpoint.
Status DiskState::begin_again() {
    std::optional<CheckpointContent> content;
    if (const auto newest = checkpoints_.newest()) {
        HELIOS_TRY_ASSIGN(content, checkpoints_.check(*newest));
    }
    HELIOS_TRY_ASSIGN(auto fresh,
                      Database::open(checkpoints_, content, options_, Unreadable::try_again));
    digest_ = content ? DigestSum(content->header.digest) : DigestSum();
    failed_ = false;
    const MutexLock lock(mutex_);
    database_.swap(fresh);
    return {};
}

Status DiskState::write() {
    // Nobody else replaces it meanwhile: freeze() waits for us.
    Frozen* frozen = frozen_.get();
    if (frozen == nullptr) {
        return {};
    }
    if (const auto newest = checkpoints_.newest()) {
        HELIOS_ASSERT(*newest <= frozen->header.next, "a checkpoint is not below the newest");
        if (*newest == frozen->header.next) {
            return {};  // what has changed follows from that one, and waits for the next
        }
    }
    if (failed_) {
        if (auto begun = begin_again(); !begun) {
            return unless_corrupt_unavailable(std::move(begun));
        }
    }
    failed_ = true;
    HELIOS_TRY(write_entries(*frozen));
    failed_ = false;
    if (auto made = make_checkpoint(frozen->header); !made) {
        checkpoints_.give_up();
        return unless_corrupt_unavailable(std::move(made));
    }
    std::unique_ptr<Frozen> done;
    {
        const MutexLock lock(mutex_);
        done = std::move(frozen_);
    }
    checkpoints_.remove_overtaken();
    return {};
}

}  // namespace

std::shared_ptr<rocksdb::Cache> state_cache(std::uint64_t bytes) {
    return rocksdb::NewLRUCache(bytes);
}

Result<std::unique_ptr<State>> open_disk_state(Checkpoints& checkpoints,
                                               const std::optional<CheckpointContent>& from,
                                               const DiskStateOptions& options) {
    HELIOS_TRY_ASSIGN(auto database,
                      Database::open(checkpoints, from, options, Unreadable::damaged));
    return std::make_unique<DiskState>(checkpoints, std::move(database),
                                       from ? std::optional(from->header) : std::nullopt, options);
}

}  // namespace helios::log
