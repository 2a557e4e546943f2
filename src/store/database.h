#pragma once
/// SQLite, thinly: one connection, its statements, transactions. The only file pair of the tree
/// that includes sqlite3.h.
///
/// SQL is a literal of this program (`Sql` can be made of nothing else); values are bound, never
/// pasted. Knows no table.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/time.h"

struct sqlite3;
struct sqlite3_stmt;

namespace helios::store {

/// SQL text that was written in the source: the constructor runs at compile time only.
class Sql {
public:
    // NOLINTNEXTLINE(google-explicit-constructor): reads as SQL at the call
    consteval Sql(const char* text) : text_(text) {}
    constexpr const char* text() const { return text_; }

private:
    const char* text_;
};

/// One prepared statement. Not thread-safe; must not outlive its Database. Movable.
///   s.bind(1, "default").bind(2, 7); while (s.row()) { s.integer(0); … }  if (!s.status()) …
/// Bound text is not copied: it must live until reset() or the next run.
class Statement {
public:
    Statement() = default;
    Statement(Statement&& other) noexcept;
    Statement& operator=(Statement&& other) noexcept;
    ~Statement();

    Statement& bind(int index, std::int64_t value);  ///< 1-based
    Statement& bind(int index, std::string_view text);
    Statement& bind_blob(int index, std::string_view bytes);
    Statement& bind_null(int index);
    Statement& bind_time(int index, std::optional<Instant> time);  ///< absent: NULL

    /// The next row; false at the end and on errors (status() tells which).
    bool row();
    /// Runs to the end and resets; for statements without rows.
    Status run();
    /// Good, or why row() ended early.
    Status status() const;
    void reset();

    int parameters() const;                      ///< how many there are
    int parameter(std::string_view name) const;  ///< where `:name` is bound; 0: there is none
    int columns() const;
    std::string_view name(int column) const;
    int column(std::string_view name) const;  ///< -1: there is none
    bool is_null(int column) const;
    bool is_integer(int column) const;
    bool is_blob(int column) const;
    std::int64_t integer(int column) const;
    std::string_view text(int column) const;  ///< valid until the next row() or reset()
    std::string_view blob(int column) const;
    Instant time(int column) const { return from_nanos(integer(column)); }
    std::optional<Instant> optional_time(int column) const;

private:
    friend class Database;
    explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
    sqlite3_stmt* statement_ = nullptr;
    int code_ = 0;
};

/// What tells the file from another that has taken its name; nullopt: there is none.
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};
std::optional<FileIdentity> identify(const std::filesystem::path& file);

/// One connection. Not thread-safe. Movable: statements stay valid.
class Database {
public:
    enum class Mode : std::uint8_t {
        write,
        read,   ///< beside a writer
        still,  ///< nobody writes: makes no file and changes none, so that a copy on a read-only
                ///< disk can be read
    };

    /// write: creates file and folder. Else the file must exist (not_found). WAL,
    /// synchronous=NORMAL: the store is derived from the log, so a power cut may take back the last
    /// transactions, rows and offsets together, and they are projected again; the file stays
    /// consistent. corrupt: not a database. unavailable: can't be opened, disk full. Every error of
    /// a connection names its file. `deadline`: of whoever asks (set_deadline), from the start.
    struct Deadline {
        const Clock* clock = nullptr;  ///< nullptr: none
        Duration at{};
    };
    static Result<Database> open(const std::filesystem::path& file, Mode mode,
                                 const Deadline& deadline);
    static Result<Database> open(const std::filesystem::path& file, Mode mode) {
        return open(file, mode, {});
    }

    Database(Database&& other) noexcept;
    Database& operator=(Database&& other) noexcept;
    ~Database();

    std::filesystem::path file() const;  ///< as SQLite names it: from the root

    Result<Statement> prepare(Sql sql);
    /// How SQLite would answer it, a line per step.
    Result<std::vector<std::string>> plan_of(Sql sql);
    Status execute(Sql script);           ///< several statements, no parameters
    std::int64_t changes() const;         ///< rows changed by the last statement
    std::int64_t last_insert_id() const;  ///< row id of the last insert into a table that has one

    /// Writes all of it into a new file, which is then a database like this one.
    Status copy_into(const std::filesystem::path& file);
    Status set_cache_bytes(std::size_t bytes);
    /// Folds the WAL into the main file and truncates it, as far as readers allow.
    Status checkpoint();
    Result<std::int64_t> user_version();
    Status set_user_version(std::int64_t version);
    Result<std::int64_t> application_id();
    Status set_application_id(std::int64_t id);

    /// From now on statements that run past `deadline`, by the clock's monotonic time, or past
    /// current_patience() of this call, stop with timeout (with stopping where whoever asked is
    /// gone): both are asked every 1,000 instructions of SQLite's machine, and while another
    /// process has locked the file. The clock must outlive the connection, and the patience the
    /// statements.
    void set_deadline(const Clock& clock, Duration deadline);

private:
    explicit Database(sqlite3* connection) : connection_(connection) {}
    Result<std::int64_t> pragma_value(Sql sql);
    Result<Statement> prepare_text(const char* sql);
    Status execute_text(const char* script);
    Status set(std::string_view pragma, std::int64_t number);
    sqlite3* connection_ = nullptr;
    struct Guard;
    Guard* guard_ = nullptr;
};

/// Begins at once; rolls back unless commit() succeeded.
class Transaction {
public:
    static Result<Transaction> begin_write(Database& database);  ///< takes the write lock now
    static Result<Transaction> begin_read(
        Database& database);  ///< one snapshot for several statements
    Transaction(Transaction&& other) noexcept : database_(other.database_) {
        other.database_ = nullptr;
    }
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    Status commit();

private:
    explicit Transaction(Database& database) : database_(&database) {}
    Database* database_;
};

}  // namespace helios::store
