#include "reconcile/spill.h"

#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include "base/bytes.h"

namespace helios::reconcile {
namespace {

constexpr std::size_t write_buffer_bytes = 32u << 20;
constexpr char closed_prefix = 'c';

rocksdb::Slice slice(std::string_view text) {
    return {text.data(), text.size()};
}
std::string_view view(const rocksdb::Slice& s) {
    return {s.data(), s.size()};
}

Error error_of(const rocksdb::Status& status) {
    return {ErrorKind::unavailable, "scratch space: " + status.ToString(),
            "free some disk space, or point TMPDIR elsewhere"};
}

}  // namespace

struct Spill::State {
    std::unique_ptr<rocksdb::DB> db;
    rocksdb::WriteOptions write;
};

Spill::Spill(std::unique_ptr<State> state) : state_(std::move(state)) {}
Spill::~Spill() = default;

Result<std::unique_ptr<Spill>> Spill::open(const std::string& directory) {
    rocksdb::BlockBasedTableOptions table;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    rocksdb::Options options;
    options.create_if_missing = true;
    options.error_if_exists = true;
    options.write_buffer_size = write_buffer_bytes;
    options.compression = rocksdb::kNoCompression;
    options.info_log_level = rocksdb::FATAL_LEVEL;
    options.keep_log_file_num = 1;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::DB* db = nullptr;
    if (const auto status = rocksdb::DB::Open(options, directory, &db); !status.ok()) {
        return fail(error_of(status));
    }
    auto state = std::make_unique<State>();
    state->db.reset(db);
    state->write.disableWAL = true;
    return std::unique_ptr<Spill>(new Spill(std::move(state)));
}

Status Spill::put(std::string_view key, std::string_view value) {
    if (const auto status = state_->db->Put(state_->write, slice(key), slice(value));
        !status.ok()) {
        return fail(error_of(status));
    }
    return {};
}

Status Spill::remove(std::string_view key) {
    if (const auto status = state_->db->Delete(state_->write, slice(key)); !status.ok()) {
        return fail(error_of(status));
    }
    return {};
}

Result<std::optional<std::string>> Spill::get(std::string_view key) {
    std::string value;
    const auto status = state_->db->Get(rocksdb::ReadOptions(), slice(key), &value);
    if (status.IsNotFound()) {
        return std::nullopt;
    }
    if (!status.ok()) {
        return fail(error_of(status));
    }
    return value;
}

Status Spill::scan(std::string_view prefix,
                   const std::function<Status(std::string_view, std::string_view)>& visit) {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> it(state_->db->NewIterator(options));
    for (it->Seek(slice(prefix)); it->Valid() && it->key().starts_with(slice(prefix)); it->Next()) {
        HELIOS_TRY(visit(view(it->key()), view(it->value())));
    }
    if (!it->status().ok()) {
        return fail(error_of(it->status()));
    }
    return {};
}

std::optional<ClosedCase> SpilledClosedCases::find(const std::string& id) {
    auto found = spill_.get(closed_prefix + id);
    if (!found) {
        damaged(std::move(found).error());
        return std::nullopt;
    }
    if (!*found) {
        return std::nullopt;
    }
    ByteReader in(**found);
    ClosedCase closed;
    closed.instance = static_cast<std::uint32_t>(in.varint());
    closed.amend_until = from_nanos(in.zigzag());
    closed.bytes = in.string();
    return closed;
}

void SpilledClosedCases::put(const std::string& id, ClosedCase closed) {
    ByteWriter out;
    out.varint(closed.instance);
    out.zigzag(to_nanos(closed.amend_until));
    out.string(closed.bytes);
    if (auto done = spill_.put(closed_prefix + id, out.view()); !done) {
        damaged(std::move(done).error());
    }
}

void append_sortable(std::string& out, std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value) ^ (1ull << 63);
    for (int shift = 56; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>(bits >> shift & 0xff));
    }
}

std::int64_t read_sortable(std::string_view eight_bytes) {
    std::uint64_t bits = 0;
    for (const char c : eight_bytes.substr(0, 8)) {
        bits = bits << 8 | static_cast<unsigned char>(c);
    }
    return static_cast<std::int64_t>(bits ^ (1ull << 63));
}

}  // namespace helios::reconcile
