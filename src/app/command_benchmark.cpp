#include <fmt/format.h>
#include <iostream>
#include <memory>

#include "app/cli.h"
#include "app/numbers.h"
#include "app/server_answer.h"
#include "app/stop_flag.h"
#include "lab/bench.h"

namespace helios::app {
namespace {

struct BenchArguments {
    std::string to;
    std::string ca_file;
    std::string mode = "single";
    std::string batch, connections, rate, seconds, events, seed, server_pid, verify;
    std::string result_file;
};

int bench(const BenchArguments& arguments, const Environment& environment) {
    lab::BenchOptions options;
    options.base_url = server_of(arguments.to, environment);
    options.ca_file = ca_file_of(arguments.ca_file, environment);
    using Mode = lab::BenchOptions::Mode;
    options.mode = arguments.mode == "grid"     ? Mode::grid
                   : arguments.mode == "direct" ? Mode::direct
                                                : Mode::single;
    std::uint64_t seconds = 10;
    for (const auto& status :
         {read_number(arguments.batch, "--batch", options.batch),
          read_number(arguments.connections, "--connections", options.connections),
          read_number(arguments.rate, "--rate", options.rate),
          read_number(arguments.seconds, "--seconds", seconds),
          read_number(arguments.events, "--events", options.events_max),
          read_number(arguments.seed, "--seed", options.seed),
          read_number(arguments.server_pid, "--server-pid", options.server_pid),
          read_number(arguments.verify, "--verify", options.verify_max)}) {
        if (!status) {
            return complain(status.error());
        }
    }
    if (options.mode == Mode::single) {
        options.batch = 1;
    }
    options.duration = std::chrono::seconds(seconds);
    options.result_file = arguments.result_file;
    options.command = fmt::format(
        "helios bench --mode {} --batch {} --connections {} --rate {} --seconds {} --seed {}",
        arguments.mode, options.batch, options.connections, options.rate, seconds, options.seed);
    if (const auto good = options.validate(); !good) {
        return complain(good.error());
    }
    const SystemClock clock;
    const StopFlag stop;
    return lab::run_bench(options, clock, std::cout, stop.raised());
}

}  // namespace

Command bench_command(const Environment& environment) {
    auto arguments = std::make_shared<BenchArguments>();
    auto& a = *arguments;
    Command command;
    command.name = "bench";
    command.summary = "Measure a server on this machine";
    command.description =
        "Sends a labelled corpus (three clouds' envelopes, 2 % duplicates, 5 % late legs, 1 % "
        "wrong amounts) on a fixed "
        "schedule, whatever the answers do;\n"
        "latency counts from the moment a request was meant to go. Then holds the server's "
        "verdicts against the labels: a figure "
        "whose verdicts are\n"
        "wrong is void. Loopback only. Exit 0: sent as asked and all verdicts right. Exit 1: "
        "errors or wrong verdicts. Exit 2: "
        "no server, bad options.";
    command.examples = {"helios bench --rate 10000 --seconds 30",
                        "helios bench --mode grid --batch 100 --rate 150000 --server-pid $(pgrep "
                        "-n helios) --json result.json"};
    command.options = {
        {"--to",
         "URL",
         "the server, loopback only; default HELIOS_SERVER, else http://127.0.0.1:8001",
         &a.to,
         false,
         {}},
        ca_file_option(a.ca_file),
        {"--mode",
         "MODE",
         "single: one event a request; grid: Event Grid arrays; direct: /events/batch",
         &a.mode,
         false,
         {"single", "grid", "direct"}},
        {"--batch", "N", "events per request (grid, direct), default 100", &a.batch, false, {}},
        {"--connections", "N", "connections, default 32", &a.connections, false, {}},
        {"--rate", "N", "events per second, default 5000", &a.rate, false, {}},
        {"--seconds", "N", "how long, default 10", &a.seconds, false, {}},
        {"--events", "N", "stop after N events", &a.events, false, {}},
        {"--seed", "N", "seed of the corpus, default 11", &a.seed, false, {}},
        {"--server-pid", "PID", "measure this process's CPU time", &a.server_pid, false, {}},
        {"--verify",
         "N",
         "orders asked for one by one, default 2000; 0: all",
         &a.verify,
         false,
         {}},
        {"--json", "FILE", "write the result there", &a.result_file, false, {}}};
    command.run = [arguments, environment] { return bench(*arguments, environment); };
    return command;
}

}  // namespace helios::app
