#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <unistd.h>

#include "app/cli.h"
#include "app/item_list.h"
#include "app/listing.h"
#include "app/numbers.h"
#include "app/screen.h"

namespace helios::app {
namespace {

struct StatsArguments {
    ServerArguments server;
    std::string start_time;
    std::string end_time;
    std::string flow;
    std::string bucket;
    std::string format = "text";
};

std::string percentage_of(json::Value rate) {
    double value = 0;
    const auto text = rate.is_number() ? rate.text() : std::string_view();
    std::from_chars(text.data(), text.data() + text.size(), value);
    return text.empty() ? "–" : fmt::format("{:.1f} %", value * 100);
}

std::string money_of(json::Value money) {
    std::string text;
    for (std::size_t i = 0; i < money.size(); ++i) {
        text += (i == 0 ? "" : " · ") + shown_text(money.at(i), "amount") + " " +
                shown_text(money.at(i), "currency");
    }
    return text.empty() ? "nothing" : text;
}

void print(Terminal& terminal, json::Value stats) {
    const auto status = stats.find("status");
    for (std::size_t i = 0; i < status.size(); ++i) {
        const std::string name(status.key_at(i));
        terminal.line(fmt::format("{} {:>10}",
                                  terminal.tint(tint_of_status(name), fmt::format("{:<12}", name)),
                                  status.at(i).text()));
    }
    terminal.line(fmt::format("match rate   {} of {} decided",
                              percentage_of(stats.find("matchRate")),
                              shown_text(stats, "decided")));
    std::string kinds;
    const auto all = stats.find("kinds");
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all.at(i).text() != "0") {
            kinds +=
                fmt::format("{}{} {}", kinds.empty() ? "" : " · ", all.key_at(i), all.at(i).text());
        }
    }
    terminal.paragraph("findings     " + (kinds.empty() ? "none" : kinds), 13);
    terminal.paragraph("at risk      " + money_of(stats.find("atRisk")), 13);
    const auto time = stats.find("timeToVerdictSeconds");
    terminal.paragraph(fmt::format("to verdict   mean {}, p99 {}", seconds_of(time.find("mean")),
                                   seconds_of(time.find("p99"))),
                       13);
    if (const auto at = stats.find("asOf"); at.is_string()) {
        terminal.line("as of        " + shown_time(at));
    }
}

/// A row for each, the oldest first.
void print_buckets(Terminal& terminal, json::Value buckets) {
    terminal.line("");
    Listing table(terminal,
                  {{"from"},
                   {"decided", true},
                   {"matched", true},
                   {"partial", true},
                   {"mismatched", true},
                   {"match rate", true},
                   {"mean", true},
                   {"p99", true},
                   {"at risk"}},
                  true);
    for (std::size_t i = 0; i < buckets.size(); ++i) {
        const auto bucket = buckets.at(i);
        const auto status = bucket.find("status");
        const auto time = bucket.find("timeToVerdictSeconds");
        table.row({{shown_time(bucket.find("from"))},
                   {shown_text(bucket, "decided")},
                   {shown_text(status, "matched")},
                   {shown_text(status, "partial")},
                   {shown_text(status, "mismatched")},
                   {percentage_of(bucket.find("matchRate"))},
                   {seconds_of(time.find("mean"))},
                   {seconds_of(time.find("p99"))},
                   {money_of(bucket.find("atRisk"))}});
    }
    table.end();
}

Result<int> stats(const StatsArguments& a, const Environment& environment) {
    for (const auto& [name, text] :
         {std::pair("--start-time", &a.start_time), std::pair("--end-time", &a.end_time)}) {
        HELIOS_TRY(text->empty() ? Result<Instant>(Instant{}) : read_time(*text, name));
    }
    HELIOS_TRY_ASSIGN(auto server, Server::of(a.server, environment));
    HELIOS_TRY(server.check_flow(a.flow));
    const Query query{{"start_time", a.start_time},
                      {"end_time", a.end_time},
                      {"flow", a.flow},
                      {"bucket", a.bucket}};
    HELIOS_TRY_ASSIGN(const auto document,
                      server.get_json(target_of("/api/v1/reconciliation/stats", query)));
    if (a.format == "json") {
        fmt::print("{}\n", document.root().raw());
        return 0;
    }
    Terminal terminal(std::cout, screen_of(STDOUT_FILENO, environment));
    print(terminal, document.root());
    if (const auto buckets = document.root().find("buckets")) {
        print_buckets(terminal, buckets);
    }
    return 0;
}

}  // namespace

Command stats_command(const Environment& environment) {
    auto arguments = std::make_shared<StatsArguments>();
    auto& a = *arguments;
    Command command;
    command.name = "stats";
    command.summary = "Counts, match rate, time to verdict, money at risk";
    command.description =
        "Over the latest revision of every case decided in the range, from a running server; "
        "`pending` counts the cases open "
        "now. With --bucket the same for each stretch of that length, too: at most 1,000, without "
        "a range the last 60.\n"
        "Exit 0: printed. Exit 2: usage, or the server can't be reached.";
    command.examples = {
        "helios stats",
        "helios stats --start-time 2026-01-05T00:00:00Z --end-time 2026-01-06T00:00:00Z --json",
        "helios stats --bucket 5m"};
    command.options = {{"--start-time",
                        "TIME",
                        "decided from then on (RFC 3339, with a zone)",
                        &a.start_time,
                        false,
                        {}},
                       {"--end-time", "TIME", "decided before then", &a.end_time, false, {}},
                       {"--flow", "FLOW", "only this flow", &a.flow, false, {}},
                       {"--bucket",
                        "LENGTH",
                        "also for each stretch of this length",
                        &a.bucket,
                        false,
                        {"30s", "1m", "5m", "1h"}},
                       {"--format", "FORMAT", "text or json", &a.format, false, {"text", "json"}}};
    add_server_options(command.options, a.server);
    command.run = [arguments, environment] { return exit_code_of(stats(*arguments, environment)); };
    return command;
}

}  // namespace helios::app
