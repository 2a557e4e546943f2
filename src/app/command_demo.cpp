#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <memory>
#include <thread>
#include <unistd.h>

#include "app/cli.h"
#include "app/numbers.h"
#include "app/screen.h"
#include "app/stop_flag.h"
#include "app/wiring.h"
#include "base/temporary_directory.h"
#include "http/client.h"
#include "http/host_policy.h"
#include "lab/demo.h"
#include "reconcile/flow.h"

namespace helios::app {
namespace {

struct DemoArguments {
    std::string orders;
    std::string seed;
    std::string listen = "127.0.0.1:0";
    bool keep = false;
};

/// The server answers at once but takes traffic only when its stages have caught up.
Status wait_until_ready(const Node& node, const std::atomic<bool>& stop) {
    HELIOS_TRY_ASSIGN(const auto url, http::Url::parse(node.url()));
    http::Client client(url.host, url.port);
    for (int attempt = 0; attempt < 300 && !stop; ++attempt) {
        if (const auto response = client.get("/ready"); response && response->status == 200) {
            return {};
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return fail(ErrorKind::unavailable, "the server did not become ready",
                fmt::format("look at {}/ready", node.url()));
}

int demo(const DemoArguments& arguments, const Environment& environment) {
    lab::DemoOptions options;
    Config config;
    for (const auto& status : {read_number(arguments.orders, "--orders", options.orders),
                               read_number(arguments.seed, "--seed", options.seed),
                               apply_listen(config, arguments.listen)}) {
        if (!status) {
            return complain(status.error());
        }
    }
    if (!http::is_loopback_name(config.http.host)) {
        return complain(
            {ErrorKind::denied,
             fmt::format("{} is not a loopback address, and the demo listens on no other",
                         config.http.host),
             "`helios serve --insecure` does"});
    }
    auto directory = TemporaryDirectory::make("helios-demo-");
    if (!directory) {
        return complain(directory.error());
    }
    const auto flow_file = directory->path() + "/order.yaml";
    std::ofstream(flow_file) << lab::with_deadlines(reconcile::shipped_order_flow(),
                                                    options.deadline);
    config.data_dir = directory->path() + "/data";
    config.flow_files = {flow_file};

    const SystemClock clock;
    telemetry::Telemetry telemetry(clock, telemetry::Level::warn);
    const StopFlag stop;
    auto node = Node::open(std::move(config), clock, telemetry);
    if (!node) {
        return complain(node.error());
    }
    (*node)->start();
    if (const auto ready = wait_until_ready(**node, stop.raised()); !ready) {
        return complain(ready.error());
    }
    options.base_url = (*node)->url();
    options.screen = screen_of(STDOUT_FILENO, environment);
    options.keep = arguments.keep;
    const int answer = lab::run_demo(options, clock, std::cout, stop.raised());
    std::cout.flush();
    if (arguments.keep && !stop.raised()) {
        fmt::print(
            "\nThe server stays up at {} with its data in {}; Ctrl-C stops it and removes them.\n",
            options.base_url, directory->path());
        std::fflush(stdout);
        stop.interrupt().wait();
    }
    (*node)->stop();
    return answer;
}

}  // namespace

Command demo_command(const Environment& environment) {
    auto arguments = std::make_shared<DemoArguments>();
    Command command;
    command.name = "demo";
    command.summary = "Half a minute with three simulated clouds, known faults, and a scoreboard";
    command.description =
        "Starts a real server on a free port with a temporary data directory, and a shop on three "
        "simulated clouds that sends it "
        "real envelopes over\n"
        "HTTP, with seeded faults of known truth: missing and late legs, duplicate deliveries, "
        "double charges, wrong amounts and "
        "quantities, other\n"
        "currencies, declined payments, malformed and out-of-order events. Legs have 5 s instead "
        "of the shipped flow's 60 s.\n"
        "Then it asks the server for every verdict and compares them with what the shop knows.\n"
        "Exit 0: nothing missed, no false alarm. Exit 1: the scoreboard says which orders were "
        "judged wrongly.";
    command.examples = {"helios demo",
                        "helios demo --keep            # then curl, or open /docs in a browser",
                        "helios demo --orders 1000 --seed 42"};
    command.options = {
        {"--orders", "N", "orders to place, default 300", &arguments->orders, false, {}},
        {"--seed", "N", "seed of the shop and its faults, default 7", &arguments->seed, false, {}},
        {"--listen",
         "HOST:PORT",
         "address of the server, default 127.0.0.1:0 (a free port)",
         &arguments->listen,
         false,
         {}},
        {"--keep",
         "",
         "leave the server up afterwards, until Ctrl-C",
         &arguments->keep,
         false,
         {}}};
    command.run = [arguments, environment] { return demo(*arguments, environment); };
    return command;
}

}  // namespace helios::app
