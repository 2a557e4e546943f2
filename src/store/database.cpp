#include "store/database.h"

#include <algorithm>
#include <fmt/format.h>
#include <sqlite3.h>
#include <string>
#include <sys/stat.h>
#include <utility>

#include "base/assert.h"
#include "base/patience.h"
#include "store/damage.h"

namespace helios::store {
namespace {

constexpr int busy_wait_ms = 5'000;
constexpr int busy_pause_ms = 10;

ErrorKind kind_of(int code) {
    switch (code & 0xff) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return ErrorKind::corrupt;
        case SQLITE_INTERRUPT:
            return ErrorKind::timeout;
        case SQLITE_CONSTRAINT:
            return ErrorKind::conflict;
        default:
            return ErrorKind::unavailable;
    }
}

std::string file_of(sqlite3* connection) {
    const char* file = sqlite3_db_filename(connection, "main");
    return file != nullptr ? file : "";
}

std::unexpected<Error> sqlite_error(int code, sqlite3* connection) {
    const ErrorKind kind = kind_of(code);
    const bool locked = (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED ||
                        (code & 0xff) == SQLITE_PROTOCOL;
    if ((kind == ErrorKind::timeout || locked) && current_patience().is_gone()) {
        return given_up();
    }
    if (kind == ErrorKind::timeout) {
        return fail(kind, "the question took longer than store.query_limit allows",
                    "narrow it: a shorter range of times, more filters, a smaller limit");
    }
    if (locked) {
        return fail(
            kind, "the store is locked by another process",
            "end what has a file of the data directory's folder `store` open (`fuser` names "
            "it), or wait for it; nothing is lost, the store catches up from the log");
    }
    const std::string file = file_of(connection);
    const char* message = sqlite3_errmsg(connection);
    if (kind == ErrorKind::corrupt) {
        return damaged(file, fmt::format("can't be read: {} (SQLite {})", message, code));
    }
    std::string hint;
    if ((code & 0xff) == SQLITE_FULL) {
        hint = "free disk space; nothing is lost, the store catches up from the log";
    } else if ((code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_READONLY ||
               (code & 0xff) == SQLITE_PERM) {
        hint =
            "look at the permissions of the data directory's folder `store` and of the files in "
            "it; beside a running server, be the user that it runs as";
    }
    return fail(kind, fmt::format("store: {}: {} (SQLite {})", file, message, code),
                std::move(hint));
}

/// How to open a file that nobody writes, without locks and without the files that a write-ahead
/// log needs beside it. Is there nothing in its log, it is taken as it is; else what is in the log
/// is indexed in memory.
std::string uri_of_still(const std::filesystem::path& file) {
    std::string uri = "file:";
    for (const char c : file.string()) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') ||
                           std::string_view("/-_.~").find(c) != std::string_view::npos;
        uri += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    auto log = file;
    log += "-wal";
    std::error_code none;
    const auto bytes = std::filesystem::file_size(log, none);
    return uri + (none || bytes == 0 ? "?immutable=1" : "?vfs=unix-none");
}

}  // namespace

// ---- Statement

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)), code_(other.code_) {}

Statement& Statement::operator=(Statement&& other) noexcept {
    if (this != &other) {
        sqlite3_finalize(statement_);
        statement_ = std::exchange(other.statement_, nullptr);
        code_ = other.code_;
    }
    return *this;
}

Statement::~Statement() {
    sqlite3_finalize(statement_);
}

// A bind can only fail by a wrong index or by memory: both are bugs here.
Statement& Statement::bind(int index, std::int64_t value) {
    const int code = sqlite3_bind_int64(statement_, index, value);
    HELIOS_ASSERT(code == SQLITE_OK, "parameter of a statement that has been reset");
    return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
    const char* data = text.data() != nullptr ? text.data() : "";  // a null pointer would bind NULL
    const int code =
        sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
    HELIOS_ASSERT(code == SQLITE_OK, "parameter of a statement that has been reset");
    return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
    const char* data = bytes.data() != nullptr ? bytes.data() : "";
    const int code = sqlite3_bind_blob64(statement_, index, data, bytes.size(), SQLITE_STATIC);
    HELIOS_ASSERT(code == SQLITE_OK, "parameter of a statement that has been reset");
    return *this;
}

Statement& Statement::bind_null(int index) {
    const int code = sqlite3_bind_null(statement_, index);
    HELIOS_ASSERT(code == SQLITE_OK, "parameter of a statement that has been reset");
    return *this;
}

Statement& Statement::bind_time(int index, std::optional<Instant> time) {
    return time ? bind(index, to_nanos(*time)) : bind_null(index);
}

bool Statement::row() {
    code_ = sqlite3_step(statement_);
    return code_ == SQLITE_ROW;
}

Status Statement::run() {
    while (row()) {
    }
    Status outcome = status();
    reset();
    return outcome;
}

Status Statement::status() const {
    if (code_ == SQLITE_OK || code_ == SQLITE_DONE || code_ == SQLITE_ROW) {
        return {};
    }
    return sqlite_error(code_, sqlite3_db_handle(statement_));
}

void Statement::reset() {
    sqlite3_reset(statement_);
    code_ = SQLITE_OK;
}

int Statement::parameters() const {
    return sqlite3_bind_parameter_count(statement_);
}
int Statement::parameter(std::string_view name) const {
    return sqlite3_bind_parameter_index(statement_, fmt::format(":{}", name).c_str());
}
int Statement::columns() const {
    return sqlite3_column_count(statement_);
}
int Statement::column(std::string_view name) const {
    for (int column = 0; column < columns(); ++column) {
        if (this->name(column) == name) {
            return column;
        }
    }
    return -1;
}
std::string_view Statement::name(int column) const {
    return sqlite3_column_name(statement_, column);
}
bool Statement::is_integer(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_INTEGER;
}
bool Statement::is_blob(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_BLOB;
}
bool Statement::is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}
std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

std::string_view Statement::text(int column) const {
    const auto* data = sqlite3_column_text(statement_, column);
    return {reinterpret_cast<const char*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Statement::blob(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    return {static_cast<const char*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::optional<Instant> Statement::optional_time(int column) const {
    return is_null(column) ? std::nullopt : std::optional(time(column));
}

// ---- Database

constexpr int checked_every = 1'000;  // instructions of SQLite's machine: some 100 µs

struct Database::Guard {
    const Clock* clock = nullptr;
    Patience patience;  // of whoever asks; ends when the limit does
    bool over() const { return patience.is_gone() || clock->monotonic() > patience.until; }
    static int check(void* self) { return static_cast<const Guard*>(self)->over() ? 1 : 0; }
    /// Another process has locked the file: 1 asks again.
    static int wait_for_lock(void* self, int asked_before) {
        if (static_cast<const Guard*>(self)->over() ||
            asked_before >= busy_wait_ms / busy_pause_ms) {
            return 0;
        }
        sqlite3_sleep(busy_pause_ms);
        return 1;
    }
};

std::optional<FileIdentity> identify(const std::filesystem::path& file) {
    struct stat info{};
    if (stat(file.c_str(), &info) != 0) {
        return std::nullopt;
    }
    return FileIdentity{info.st_dev, info.st_ino};
}

Result<Database> Database::open(const std::filesystem::path& file, Mode mode,
                                const Deadline& deadline) {
    std::error_code ignored;
    if (mode == Mode::write) {
        if (file.has_parent_path()) {
            std::filesystem::create_directories(file.parent_path(), ignored);
        }
    } else if (!std::filesystem::exists(file, ignored)) {
        return fail(ErrorKind::not_found, fmt::format("there is no store at {}", file.string()),
                    "start `helios serve` on this data directory, or run `helios store rebuild`");
    }
    if (std::filesystem::is_directory(file, ignored)) {
        return damaged(file, "is a folder, not a file");
    }
    sqlite3* connection = nullptr;
    const int flags =
        SQLITE_OPEN_NOMUTEX |
        (mode == Mode::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
    const std::string name = mode == Mode::still ? uri_of_still(file) : file.string();
    const int code = sqlite3_open_v2(name.c_str(), &connection,
                                     flags | (mode == Mode::still ? SQLITE_OPEN_URI : 0), nullptr);
    Database database(connection);
    if (code != SQLITE_OK) {
        return connection != nullptr
                   ? sqlite_error(code, connection)
                   : fail(ErrorKind::unavailable, "store: no memory to open " + file.string());
    }
    if (mode == Mode::write) {  // -wal and -shm take over the file's permissions
        std::filesystem::permissions(
            file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write,
            ignored);
    }
    sqlite3_extended_result_codes(connection, 1);
    if (deadline.clock != nullptr) {
        database.set_deadline(*deadline.clock, deadline.at);
    } else {
        sqlite3_busy_timeout(connection, busy_wait_ms);
    }
    if (mode == Mode::write) {
        // The page size counts only before the first table exists. Checkpoints at 32 MiB of WAL:
        // few, and still short.
        HELIOS_TRY(
            database.execute("PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA "
                             "synchronous=NORMAL; PRAGMA wal_autocheckpoint=4096;"
                             "PRAGMA journal_size_limit=268435456; PRAGMA temp_store=MEMORY; "
                             "PRAGMA foreign_keys=OFF;"));
    } else {
        if (mode == Mode::still) {  // the index in memory, and what is in the log stays there
            sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
            HELIOS_TRY(database.execute("PRAGMA locking_mode=EXCLUSIVE;"));
        }
        HELIOS_TRY(database.execute("PRAGMA query_only=ON; PRAGMA cache_size=-8192;"));
    }
    return database;
}

Database::Database(Database&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)),
      guard_(std::exchange(other.guard_, nullptr)) {}

Database& Database::operator=(Database&& other) noexcept {
    std::swap(connection_, other.connection_);
    std::swap(guard_, other.guard_);
    return *this;
}

Database::~Database() {
    sqlite3_close_v2(connection_);  // v2: waits for statements that are finalised later
    delete guard_;
}

Result<Statement> Database::prepare(Sql sql) {
    return prepare_text(sql.text());
}

Result<std::vector<std::string>> Database::plan_of(Sql sql) {
    constexpr int column_of_text = 3;
    HELIOS_TRY_ASSIGN(Statement plan,
                      prepare_text(fmt::format("EXPLAIN QUERY PLAN {}", sql.text()).c_str()));
    std::vector<std::string> lines;
    while (plan.row()) {
        lines.emplace_back(plan.text(column_of_text));
    }
    HELIOS_TRY(plan.status());
    return lines;
}

Result<Statement> Database::prepare_text(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    const int code =
        sqlite3_prepare_v3(connection_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) {
        return sqlite_error(code, connection_);
    }
    return Statement(statement);
}

Status Database::execute(Sql script) {
    return execute_text(script.text());
}

/// PRAGMA takes no parameters; name and number are ours.
Status Database::set(std::string_view pragma, std::int64_t number) {
    return execute_text(fmt::format("PRAGMA {}={}", pragma, number).c_str());
}

Status Database::execute_text(const char* script) {
    const int code = sqlite3_exec(connection_, script, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) {
        return sqlite_error(code, connection_);
    }
    return {};
}

std::filesystem::path Database::file() const {
    return file_of(connection_);
}

std::int64_t Database::changes() const {
    return sqlite3_changes64(connection_);
}
std::int64_t Database::last_insert_id() const {
    return sqlite3_last_insert_rowid(connection_);
}

Status Database::set_cache_bytes(std::size_t bytes) {
    return set("cache_size", -static_cast<std::int64_t>(bytes / 1024));
}

Status Database::copy_into(const std::filesystem::path& file) {
    {
        const std::string name = file.string();
        HELIOS_TRY_ASSIGN(Statement copy, prepare("VACUUM INTO ?"));
        HELIOS_TRY(copy.bind(1, name).run());
    }
    HELIOS_TRY(open(file, Mode::write));  // a copy begins without a WAL
    return {};
}

Status Database::checkpoint() {
    sqlite3_busy_timeout(connection_, 0);  // whoever reads keeps the WAL for a while
    const int code = sqlite3_wal_checkpoint_v2(connection_, nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                                               nullptr, nullptr);
    sqlite3_busy_timeout(connection_, busy_wait_ms);
    if (code != SQLITE_OK && code != SQLITE_BUSY) {
        return sqlite_error(code, connection_);
    }
    return {};
}

Result<std::int64_t> Database::pragma_value(Sql sql) {
    HELIOS_TRY_ASSIGN(Statement statement, prepare(sql));
    if (!statement.row()) {
        HELIOS_TRY(statement.status());
        return 0;
    }
    return statement.integer(0);
}

Result<std::int64_t> Database::user_version() {
    return pragma_value("PRAGMA user_version");
}
Result<std::int64_t> Database::application_id() {
    return pragma_value("PRAGMA application_id");
}

Status Database::set_user_version(std::int64_t version) {
    return set("user_version", version);
}

Status Database::set_application_id(std::int64_t id) {
    return set("application_id", id);
}

void Database::set_deadline(const Clock& clock, Duration deadline) {
    Guard guard{&clock, current_patience()};
    guard.patience.until = std::min(guard.patience.until, deadline);
    if (guard_ == nullptr) {
        guard_ = new Guard(guard);
        sqlite3_progress_handler(connection_, checked_every, &Guard::check, guard_);
        sqlite3_busy_handler(connection_, &Guard::wait_for_lock, guard_);
    } else {
        *guard_ = guard;
    }
}

// ---- Transaction

Result<Transaction> Transaction::begin_write(Database& database) {
    HELIOS_TRY(database.execute("BEGIN IMMEDIATE"));
    return Transaction(database);
}

Result<Transaction> Transaction::begin_read(Database& database) {
    HELIOS_TRY(database.execute("BEGIN DEFERRED"));
    return Transaction(database);
}

Transaction::~Transaction() {
    if (database_ != nullptr) {
        (void)database_->execute(
            "ROLLBACK");  // already rolled back by SQLite itself after some errors: nothing to add
    }
}

Status Transaction::commit() {
    HELIOS_ASSERT(database_ != nullptr, "a transaction commits once");
    HELIOS_TRY(database_->execute("COMMIT"));
    database_ = nullptr;
    return {};
}

}  // namespace helios::store
