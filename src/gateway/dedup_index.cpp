#include "gateway/dedup_index.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <functional>
#include <iterator>
#include <map>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/mutex.h"
#include "base/position_bytes.h"
#include "log/disk.h"
#include "log/posix_disk.h"
#include "log/rocks.h"

namespace helios::gateway {

namespace {

/// A column family per generation, named by its number, and the default one for the position. They
/// are written out together (atomic_flush), so with the write-ahead log off what a crash leaves is
/// a prefix of the writes, ids and position.
constexpr std::string_view state_key = "s";
constexpr std::string_view generation_prefix = "generation ";
constexpr std::int64_t generations_per_horizon = 8;

/// Which stretch of log time an id belongs to.
class Generations {
public:
    /// 0: one, for ever.
    explicit Generations(Duration horizon)
        : horizon_(horizon), width_(horizon / generations_per_horizon) {}

    std::int64_t of(Instant t) const {
        return width_ <= Duration::zero() ? 0 : to_nanos(t) / width_.count();
    }
    bool is_past(std::int64_t generation, Instant now) const {
        return width_ > Duration::zero() && generation < of(now - horizon_);
    }
    Duration horizon() const { return horizon_; }

private:
    const Duration horizon_;
    const Duration width_;
};

std::string name_of(std::int64_t generation) {
    return fmt::format("{}{}", generation_prefix, generation);
}

std::optional<std::int64_t> generation_of(std::string_view name) {
    if (!name.starts_with(generation_prefix)) {
        return std::nullopt;
    }
    name.remove_prefix(generation_prefix.size());
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    return error == std::errc{} && end == name.data() + name.size() ? std::optional(number)
                                                                    : std::nullopt;
}

Error error_of(const rocksdb::Status& status, std::string_view doing) {
    const bool damaged = status.IsCorruption() || status.IsInvalidArgument();
    return {damaged ? ErrorKind::corrupt : ErrorKind::unavailable,
            "deduplication index, " + std::string(doing) + ": " + status.ToString(),
            damaged ? "it is rebuilt from the log when its folder is removed"
                    : "check space and permissions of the data directory"};
}

rocksdb::Slice key_of(const Digest128& identity) {
    return {reinterpret_cast<const char*>(identity.data()), identity.size()};
}

/// Neighbours are inserted faster one after the other. Of an identity that occurs twice the later
/// one stays last.
std::vector<const IndexEntry*> in_key_order(const std::vector<IndexEntry>& entries) {
    std::vector<const IndexEntry*> order;
    order.reserve(entries.size());
    for (const auto& entry : entries) {
        order.push_back(&entry);
    }
    std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
        return a->identity != b->identity ? a->identity < b->identity : a < b;
    });
    return order;
}

rocksdb::Options rocks_options(const Options& options) {
    rocksdb::Options out;
    out.create_if_missing = true;
    out.write_buffer_size = options.index_write_buffer_bytes;
    out.max_write_buffer_number = 3;
    out.memtable_prefix_bloom_size_ratio =
        0.1;  // nearly every lookup misses: it must not walk the memtable for that
    out.memtable_whole_key_filtering = true;
    out.max_background_jobs = 2;
    out.max_open_files = 512;
    out.max_bgerror_resume_count = 0;           // reopen() begins again from what is on disk
    out.compression = rocksdb::kNoCompression;  // digests do not compress
    out.level_compaction_dynamic_level_bytes = true;
    out.info_log = log::silent_logger();
    out.atomic_flush = true;
    out.avoid_flush_during_shutdown = true;  // close() flushes, and hears of it if that fails
    out.stats_dump_period_sec = 0;
    out.fail_if_options_file_error = false;  // nobody reads it
    out.table_factory =
        log::table_factory(rocksdb::NewLRUCache(options.index_cache_bytes), 4u << 10);
    return out;
}

constexpr const char* what_to_do =
    "stop the server, put the directory back if it was moved, and start again: what is gone of the "
    "index is made anew from the "
    "log";

/// RocksDB verifies its tables' blocks, but takes a flipped bit near the end of its MANIFEST for
/// the end. So an orderly close leaves the checksums of the small files, and the next open asks for
/// them.
constexpr std::string_view sums_name = "helios.sums";

std::string contents(log::Disk& disk, const std::string& path) {
    return log::read_file(disk, path, UINT64_MAX).value_or(std::string());
}

std::string sums_of(log::Disk& disk, const std::string& directory) {
    const std::string current = contents(disk, directory + "/CURRENT");
    const std::string manifest =
        contents(disk, directory + "/" + current.substr(0, current.find('\n')));
    std::string text =
        fmt::format("{:08x} {:08x} {}\n", crc32c(current), crc32c(manifest), manifest.size());
    return text + fmt::format("{:08x}\n", crc32c(text));
}

/// What can't be written says nothing at the next open.
void write_sums(log::Disk& disk, const std::string& directory) {
    const std::string path = directory + "/" + std::string(sums_name);
    if (const auto file = disk.open(path, log::OpenMode::create);
        file && (*file)->truncate(0).has_value()) {
        static_cast<void>((*file)->pwrite(0, sums_of(disk, directory)));
    }
}

/// corrupt: CURRENT or MANIFEST is not what was closed. Sums that a crash left behind, or kept from
/// being written, say nothing.
Status check_sums(log::Disk& disk, const std::string& directory) {
    const std::string path = directory + "/" + std::string(sums_name);
    const std::string kept = contents(disk, path);
    const auto end = kept.find('\n');
    static_cast<void>(disk.remove(path));  // from now on they change
    if (end == std::string::npos ||
        kept.substr(end + 1) != fmt::format("{:08x}\n", crc32c(kept.substr(0, end + 1)))) {
        return {};
    }
    return kept == sums_of(disk, directory)
               ? Status{}
               : fail(ErrorKind::corrupt, "deduplication index: " + directory +
                                              ": CURRENT or MANIFEST is not as it was closed");
}

/// Good: the disk takes bytes and keeps them.
Status write_probe(log::Disk& disk, const std::string& directory) {
    const std::string path = directory + "/helios.probe";
    const std::string bytes(4'096, 'x');
    {
        HELIOS_TRY_ASSIGN(const auto file, disk.open(path, log::OpenMode::create));
        HELIOS_TRY(file->pwrite(0, bytes));
        HELIOS_TRY(file->sync());
    }
    return disk.remove(path);
}

/// What an index's files are on.
struct Files {
    std::unique_ptr<rocksdb::Env> memory;
    std::unique_ptr<log::Disk> own_disk;
    std::shared_ptr<rocksdb::Env> env;
    log::Disk* disk = nullptr;               ///< null: in memory
    std::optional<log::FileId> folder = {};  ///< which it is; absent: in memory
};

using Family = std::unique_ptr<rocksdb::ColumnFamilyHandle>;

struct Database {
    std::unique_ptr<rocksdb::DB> db;
    Family state;
    std::map<std::int64_t, Family, std::greater<>> generations;  ///< the newest first

    Database() = default;
    Database(Database&&) = default;
    Database& operator=(Database&&) = default;
    ~Database() { close(); }
    void close() {
        generations.clear();  // before what they are of
        state.reset();
        if (db) {
            static_cast<void>(db->Close());
            db.reset();
        }
    }
};

Result<Database> open_database(const rocksdb::Options& rocks, const std::string& directory) {
    std::vector<std::string> names;
    const auto listed = rocksdb::DB::ListColumnFamilies(rocks, directory, &names);
    if (listed.IsIOError() && !listed.IsPathNotFound()) {
        return fail(error_of(listed, "opening"));
    }
    // Where there is no database yet, this fails, and what makes one says what is wrong.
    if (names.empty()) {
        names.push_back(rocksdb::kDefaultColumnFamilyName);
    }
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const auto& name : names) {
        families.emplace_back(name, rocks);
    }
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* raw = nullptr;
    const auto status = rocksdb::DB::Open(rocks, directory, families, &handles, &raw);
    if (!status.ok()) {
        auto error = error_of(status, "opening");
        if (status.IsPathNotFound() || status.IsNotFound() ||
            status.IsNotSupported()) {  // it names files that aren't there
            error.kind = ErrorKind::corrupt;
        }
        return fail(std::move(error));
    }
    Database out;
    out.db.reset(raw);
    bool foreign = false;
    for (std::size_t i = 0; i < handles.size(); ++i) {
        Family family(handles[i]);
        if (names[i] == rocksdb::kDefaultColumnFamilyName) {
            out.state = std::move(family);
        } else if (const auto number = generation_of(names[i])) {
            out.generations.emplace(*number, std::move(family));
        } else {
            foreign = true;
        }
    }
    if (foreign) {
        return fail(ErrorKind::corrupt, "deduplication index: " + directory + " is no such index");
    }
    return out;
}

class RocksIndex final : public DedupIndex {
public:
    RocksIndex(std::string directory, Files files, const Options& options, rocksdb::Options rocks)
        : generations_(options.dedup_horizon_longest()),
          rocks_(std::move(rocks)),
          directory_(std::move(directory)),
          files_(std::move(files)) {
        writing_.disableWAL = true;
    }

    Status open() {
        HELIOS_TRY_ASSIGN(database_, open_database(rocks_, directory_));
        return load();
    }

    Status may_reopen() override {
        if (files_.disk == nullptr) {
            return {};
        }
        HELIOS_TRY(check_directory());
        HELIOS_TRY_ASSIGN(const std::uint64_t room, files_.disk->free_bytes(directory_));
        if (room < rocks_.write_buffer_size) {
            return fail(ErrorKind::exhausted, "deduplication index: the disk is full");
        }
        return write_probe(*files_.disk, directory_);
    }

    Status reopen() override {
        database_.close();
        position_.clear();
        last_.reset();
        last_written_.reset();
        rocks_.create_if_missing = false;
        auto opened = open();
        if (!opened) {
            database_.close();
            if (files_.disk != nullptr) {
                HELIOS_TRY(check_directory());  // it may have gone in this very moment
            }
        }
        return opened;
    }

    Status flush() override {
        HELIOS_TRY(check_open());
        std::vector<rocksdb::ColumnFamilyHandle*> all{database_.state.get()};
        for (const auto& [generation, family] : database_.generations) {
            all.push_back(family.get());
        }
        const auto status = log::flush(*database_.db, all);
        return status.ok() ? Status{} : fail(error_of(status, "writing it out"));
    }

    Status close() override {
        Status flushed = flush();
        database_.close();
        if (flushed && files_.disk != nullptr) {
            write_sums(*files_.disk, directory_);
        }
        return flushed;
    }

    Status check_files() override {
        if (files_.disk == nullptr) {
            return {};
        }
        HELIOS_TRY(check_directory());
        HELIOS_TRY(check_open());
        std::vector<std::string> missing = missing_files();
        if (!missing.empty() &&
            !(missing = missing_files())
                 .empty()) {  // twice: a compaction may just have put others in their place
            return fail(ErrorKind::unavailable,
                        "deduplication index: " + directory_ + missing.front() + " is gone",
                        what_to_do);
        }
        return verify_one();
    }

    Status load() {
        std::string bytes;
        const auto status = database_.db->Get(reading_, database_.state.get(), state_key, &bytes);
        if (status.IsNotFound()) {
            return drop_empty();
        }
        if (!status.ok()) {
            return fail(error_of(status, "reading its position"));
        }
        ByteReader in(bytes);
        const Duration horizon{static_cast<std::int64_t>(in.varint())};
        if (in.ok() && horizon != generations_.horizon()) {
            return fail(
                ErrorKind::corrupt,
                fmt::format("deduplication index: it was made for a horizon of {}, and {} "
                            "is asked for",
                            format_duration(horizon), format_duration(generations_.horizon())));
        }
        for (auto n = in.varint(); n > 0 && in.ok(); --n) {
            Partition id;
            id.topic = model::topic_of(in.string());
            id.index = static_cast<std::uint32_t>(in.varint());
            position_[id] = Offset{in.varint()};
        }
        if (in.boolean()) {
            IndexEntry entry;
            const auto digest = in.raw(entry.identity.size());
            std::copy(digest.begin(), digest.end(), entry.identity.begin());
            entry.at = read_position(in);
            last_ = entry;
        }
        return in.at_end()
                   ? Status{}
                   : fail(ErrorKind::corrupt, "deduplication index: its position is unreadable");
    }

    Result<std::optional<Position>> find(const Digest128& identity) override {
        HELIOS_TRY(check_open());
        const SharedLock lock(families_mutex_);
        std::string value;
        for (const auto& [generation, family] : database_.generations) {
            const auto status = database_.db->Get(reading_, family.get(), key_of(identity), &value);
            if (status.IsNotFound()) {
                continue;
            }
            if (!status.ok()) {
                return fail(error_of(status, "reading"));
            }
            ByteReader in(value);
            const auto at = read_position(in);
            if (!in.at_end()) {
                return fail(ErrorKind::corrupt, "deduplication index: an entry is unreadable");
            }
            return at;
        }
        return std::nullopt;
    }

    Status write(const std::vector<IndexEntry>& entries, const log::Offsets& position) override {
        HELIOS_TRY(check_open());
        rocksdb::WriteBatch batch;
        for (const auto* entry : in_key_order(entries)) {
            ByteWriter value;
            write_position(value, entry->at);
            HELIOS_TRY_ASSIGN(rocksdb::ColumnFamilyHandle * family, family_of(entry->log_time));
            batch.Put(family, key_of(entry->identity), value.view());
        }
        if (!entries.empty()) {
            last_written_ = entries.back();
        }
        batch.Put(database_.state.get(), state_key, encode_state(position));
        const auto status = database_.db->Write(writing_, &batch);
        if (!status.ok()) {
            return fail(error_of(status, "writing"));
        }
        return entries.empty() ? Status{} : drop_before(entries.back().log_time);
    }

    const log::Offsets& position_at_open() const override { return position_; }
    const std::optional<IndexEntry>& last_entry_at_open() const override { return last_; }

private:
    Status check_open() const {
        return database_.db ? Status{}
                            : fail(ErrorKind::unavailable,
                                   "deduplication index: it could not be opened again",
                                   "check space and permissions of the data directory");
    }

    /// Generations that were begun, and nothing of them written out before a crash.
    Status drop_empty() {
        for (const auto& [generation, family] : database_.generations) {
            const std::unique_ptr<rocksdb::Iterator> at(
                database_.db->NewIterator(reading_, family.get()));
            at->SeekToFirst();
            if (!at->status().ok()) {
                return fail(error_of(at->status(), "reading"));
            }
            if (at->Valid()) {
                return fail(ErrorKind::corrupt, "deduplication index: it has ids and no position");
            }
        }
        while (!database_.generations.empty()) {
            if (const auto status =
                    database_.db->DropColumnFamily(database_.generations.begin()->second.get());
                !status.ok()) {
                return fail(error_of(status, "dropping a generation"));
            }
            database_.generations.erase(database_.generations.begin());
        }
        return {};
    }

    /// Made if there is none yet.
    Result<rocksdb::ColumnFamilyHandle*> family_of(Instant log_time) {
        const std::int64_t generation = generations_.of(log_time);
        if (const auto known = database_.generations.find(generation);
            known != database_.generations.end()) {
            return known->second.get();
        }
        rocksdb::ColumnFamilyHandle* made = nullptr;
        const auto status = database_.db->CreateColumnFamily(rocks_, name_of(generation), &made);
        if (made == nullptr) {  // with one, it is there, whatever else could not be written
            return fail(error_of(status, "beginning a generation"));
        }
        const ExclusiveLock lock(families_mutex_);
        return database_.generations.emplace(generation, Family(made)).first->second.get();
    }

    Status drop_before(Instant now) {
        while (!database_.generations.empty() &&
               generations_.is_past(database_.generations.rbegin()->first, now)) {
            const auto oldest = std::prev(database_.generations.end());
            Family gone;
            {
                const ExclusiveLock lock(families_mutex_);
                gone = std::move(oldest->second);
                database_.generations.erase(oldest);
            }
            const auto status = database_.db->DropColumnFamily(gone.get());
            if (!status.ok()) {
                return fail(error_of(status, "dropping a generation"));
            }
        }
        return {};
    }

    Status check_directory() {
        const auto now = files_.disk->identify(directory_);
        if (!now) {
            return fail(ErrorKind::unavailable, "deduplication index: " + directory_ + " is gone",
                        what_to_do);
        }
        if (files_.folder != *now) {
            return fail(ErrorKind::unavailable,
                        "deduplication index: " + directory_ + " is not the one that was opened",
                        what_to_do);
        }
        if (const auto writable = files_.disk->check_writable(directory_); !writable) {
            return fail(ErrorKind::unavailable, "deduplication index: " + writable.error().what,
                        "make the data directory writable again");
        }
        return {};
    }

    /// What can't be looked at is not called missing.
    bool exists(const std::string& path) const { return files_.disk->exists(path).value_or(true); }

    std::vector<std::string> missing_files() {
        std::vector<std::string> live;
        std::uint64_t manifest_bytes = 0;
        if (!database_.db->GetLiveFiles(live, &manifest_bytes, false).ok()) {
            return {};
        }
        std::erase_if(live, [&](const std::string& name) { return exists(directory_ + name); });
        return live;
    }

    /// At one file a look, some 64 MiB in ten seconds, nobody notices.
    Status verify_one() {
        constexpr std::uint64_t looks_between_passes = 8'640;  // a day, at a look in ten seconds
        if (to_verify_.empty()) {
            if (looks_++ % looks_between_passes != 0) {
                return {};
            }
            std::vector<rocksdb::LiveFileMetaData> files;
            database_.db->GetLiveFilesMetaData(&files);
            for (const auto& file : files) {
                to_verify_.push_back(directory_ + file.name);
            }
            if (to_verify_.empty()) {
                return {};
            }
        }
        const std::string path = std::move(to_verify_.back());
        to_verify_.pop_back();
        rocksdb::SstFileReader reader(database_.db->GetOptions());
        auto status = reader.Open(path);
        if (status.ok()) {
            status = reader.VerifyChecksum();
        }
        return status.ok() || !exists(path)
                   ? Status{}
                   : fail(error_of(status, "reading " + path + " through"));
    }

    std::string encode_state(const log::Offsets& position) const {
        ByteWriter out;
        out.varint(static_cast<std::uint64_t>(generations_.horizon().count()));
        out.varint(position.size());
        for (const auto& [id, offset] : position) {
            out.string(model::name_of(id.topic));
            out.varint(id.index);
            out.varint(offset.value);
        }
        const auto& last = last_written_ ? last_written_ : last_;
        out.boolean(last.has_value());
        if (last) {
            out.raw({reinterpret_cast<const char*>(last->identity.data()), last->identity.size()});
            write_position(out, last->at);
        }
        return out.take();
    }

    const Generations generations_;
    rocksdb::Options rocks_;
    const std::string directory_;
    std::vector<std::string> to_verify_;
    std::uint64_t looks_ = 0;  ///< with nothing left to verify
    const Files files_;        ///< outlive the database
    Database database_;
    mutable SharedMutex families_mutex_;  ///< exclusive: the writer changes the generations
    rocksdb::ReadOptions reading_;
    rocksdb::WriteOptions writing_;
    log::Offsets position_;
    std::optional<IndexEntry> last_;
    std::optional<IndexEntry> last_written_;
};

}  // namespace

Result<std::unique_ptr<DedupIndex>> DedupIndex::open(const Options& options,
                                                     const IndexFiles& instead) {
    auto rocks = rocks_options(options);
    Files files;
    std::string directory = options.index_directory;
    if (directory.empty()) {
        files.memory.reset(rocksdb::NewMemEnv(rocksdb::Env::Default()));
        rocks.env = files.memory.get();
        directory = "/index";
    } else {
        files.own_disk = instead.disk == nullptr ? log::posix_disk() : nullptr;
        files.disk = files.own_disk ? files.own_disk.get() : instead.disk;
        files.env = log::impatient(instead.env);
        rocks.env = files.env.get();
        if (auto made = files.disk->make_directories(directory); !made) {
            return fail(ErrorKind::unavailable, "deduplication index: " + made.error().what,
                        "check space and permissions of the data directory");
        }
        HELIOS_TRY(check_sums(*files.disk, directory));
        HELIOS_TRY_ASSIGN(files.folder, files.disk->identify(directory));
    }
    auto index = std::make_unique<RocksIndex>(directory, std::move(files), options, rocks);
    HELIOS_TRY(index->open());
    return index;
}

Status DedupIndex::destroy(const Options& options, const IndexFiles& instead) {
    if (options.index_directory.empty()) {
        return {};
    }
    const auto own_disk = instead.disk == nullptr ? log::posix_disk() : nullptr;
    log::Disk& disk = own_disk ? *own_disk : *instead.disk;
    if (const auto removed = disk.remove_all(options.index_directory); !removed) {
        return fail(ErrorKind::unavailable, "deduplication index: " + removed.error().what,
                    "check the permissions of the data directory");
    }
    return {};
}

}  // namespace helios::gateway
