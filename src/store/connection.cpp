#include "store/connection.h"

#include <algorithm>

#include "base/mutex.h"
#include "base/patience.h"
#include "store/migrations.h"

namespace helios::store {

Queries::Queries(const Options& options, const Clock& clock) : options_(options), clock_(clock) {}
Queries::~Queries() = default;

Result<std::unique_ptr<Queries>> Queries::open(const Options& options, const Clock& clock) {
    HELIOS_TRY(options.validate());
    std::unique_ptr<Queries> queries(new Queries(options, clock));
    HELIOS_TRY_ASSIGN(auto first, queries->connect());
    {
        const MutexLock lock(queries->mutex_);
        queries->idle_.push_back(std::move(first));
        queries->open_ = 1;
    }
    return queries;
}

Result<std::unique_ptr<Queries::Connection>> Queries::connect() const {
    const auto file = identify(options_.file);
    HELIOS_TRY_ASSIGN(Database database,
                      Database::open(options_.file, Database::Mode::read,
                                     {&clock_, clock_.monotonic() + options_.query_limit}));
    HELIOS_TRY(check_version(database));
    auto connection = std::make_unique<Connection>(options_, clock_, std::move(database));
    connection->file = file;
    HELIOS_TRY(connection->statements.prepare(connection->database));
    return connection;
}

Result<Queries::Borrowed> Queries::borrow() {
    std::unique_ptr<Connection> connection;
    {
        const auto limit =
            std::min(options_.query_limit, current_patience().until - clock_.monotonic());
        MutexLock lock(mutex_);
        if (!returned_.wait_for(lock, limit, [this]() HELIOS_REQUIRES(mutex_) {
                return !idle_.empty() || open_ < options_.readers_max;
            })) {
            return fail(ErrorKind::exhausted, "store: all read connections are busy",
                        "retry; raise store.readers_max if it stays so");
        }
        if (!idle_.empty()) {
            connection = std::move(idle_.back());
            idle_.pop_back();
        } else {
            ++open_;
        }
    }
    // The projector may have made the file anew; until it has, what is open answers.
    if (const auto now = identify(options_.file); connection && now && now != connection->file) {
        if (auto renewed = connect()) {
            connection = *std::move(renewed);
        }
    }
    if (!connection) {
        auto opened = connect();
        if (!opened) {
            MutexLock lock(mutex_);
            --open_;
            return fail(std::move(opened).error());
        }
        connection = *std::move(opened);
    }
    connection->set_deadline();
    return Borrowed(*this, std::move(connection));
}

void Queries::Connection::set_deadline() {
    deadline = clock.monotonic() + options.query_limit;
    database.set_deadline(clock, deadline);
}

/// The projector may have made a slice's file anew; until it has, what is open answers.
Result<SliceReader*> Queries::Connection::opened(const SliceRange& range) {
    const auto path = slice_file(options.file, range.start);
    const auto now = identify(path);
    const auto known = std::ranges::find(slices, range.start, &OpenSlice::start);
    OpenSlice slice{range.start, nullptr};
    if (known != slices.end()) {
        slice = std::move(*known);
        slices.erase(known);
    }
    if (!slice.reader || (now && now != slice.reader->file())) {
        auto reader = SliceReader::open(path, range, clock, deadline);
        if (!reader) {
            if (!identify(path)) {
                return nullptr;  // it left, if not before then while it was being opened
            }
            return fail(std::move(reader).error());
        }
        slice.reader = *std::move(reader);
    }
    slice.reader->database().set_deadline(clock, deadline);
    if (slices.size() >= options.slices_open_max) {
        slices.erase(slices.begin());
    }
    slices.push_back(std::move(slice));
    return slices.back().reader.get();
}

Queries::Borrowed::~Borrowed() {
    if (!connection_) {
        return;  // moved from
    }
    {
        MutexLock lock(owner_->mutex_);
        owner_->idle_.push_back(std::move(connection_));
    }
    owner_->returned_.notify_one();
}

}  // namespace helios::store
