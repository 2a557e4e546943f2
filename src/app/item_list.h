#pragma once
/// A list of the API on standard output, as a table, one JSON document, or NDJSON: what `dlq ls`,
/// `mismatches` and `events` share.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/listing.h"
#include "app/server_answer.h"

namespace helios::app {

struct ListArguments {
    ServerArguments server;
    std::string start_time;
    std::string end_time;
    std::string limit = "100";
    std::string format = "table";
    bool full_ids = false;
};

/// --start-time, --end-time, --limit, --format, --full-ids, --to and --timeout.
void add_list_options(std::vector<Option>& options, ListArguments& arguments);

class ItemList {
public:
    /// invalid: an option's value.
    static Result<ItemList> open(const ListArguments& arguments, const Environment& environment);

    /// Prints the items of `path`, each as `row` has it where it is a table, and returns how many.
    Result<std::uint64_t> print(std::string_view path, Query query, Listing& table,
                                Terminal::Row (*row)(json::Value item));

    /// In place of a table without rows.
    void say_none(const std::string& what);

    Terminal& terminal() { return *terminal_; }
    Server& server() { return server_; }

private:
    ItemList(const ListArguments& arguments, Server server, std::size_t limit,
             const Environment& environment);
    const ListArguments& arguments_;
    Server server_;
    std::size_t limit_;
    std::unique_ptr<Terminal> terminal_;
};

/// A time of the API as columns show it, to the second.
std::string shown_time(json::Value time);

/// "1.5 s", "3 ms" of a number of seconds; "–" of none.
std::string seconds_of(json::Value seconds);

/// A member's text, harmless for terminals; empty if it is absent.
std::string shown_text(json::Value item, std::string_view name);

/// How verdicts look in a table, of whatever command.
std::vector<Column> verdict_columns();
Terminal::Row verdict_row(json::Value verdict);
Tint tint_of_status(std::string_view status);

/// Its value, or 2 and the error on standard error.
int exit_code_of(const Result<int>& answer);

}  // namespace helios::app
