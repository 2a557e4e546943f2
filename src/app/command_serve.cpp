#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>

#include "app/cli.h"
#include "app/server_signals.h"
#include "app/start.h"
#include "app/supervisor.h"
#include "app/wiring.h"

namespace helios::app {
namespace {

/// Feeds a service manager's watchdog while the server turns: never from a thread of its own, which
/// would go on when we are stuck.
class SignsOfLife {
public:
    SignsOfLife(Node& node, const Supervisor& supervisor, const Clock& clock,
                telemetry::Telemetry& telemetry)
        : node_(node), supervisor_(supervisor), clock_(clock), telemetry_(telemetry) {}

    /// How long the main thread may wait for signals.
    Duration pause() const {
        constexpr Duration until_ready = std::chrono::milliseconds(50);
        constexpr Duration for_ever = std::chrono::hours(1);
        const auto waits = ready_ || !supervisor_.present() ? for_ever : until_ready;
        return supervisor_.watchdog() ? std::min(waits, *supervisor_.watchdog() / 4) : waits;
    }

    void turn() {
        if (!supervisor_.present()) {
            return;
        }
        const auto now = clock_.monotonic();
        if (!ready_) {
            tell_of_start(now);
        }
        if (supervisor_.watchdog() && now >= next_sign_) {
            const bool turns = node_.turns_within(*supervisor_.watchdog() / 4);
            if (turns) {
                supervisor_.alive();
                next_sign_ = now + *supervisor_.watchdog();
            } else if (turned_) {
                telemetry_.logger.error(
                    "app", "a thread of the HTTP server does not come by: the watchdog is not fed",
                    {});
            }
            turned_ = turns;
        }
    }

private:
    void tell_of_start(Duration now) {
        constexpr Duration between = std::chrono::seconds(5);
        if (const auto ready = node_.ready()) {
            ready_ = true;
            supervisor_.ready(node_.url());
        } else if (now >= next_extension_) {
            supervisor_.catching_up(ready.error().what);
            next_extension_ = now + between;
        }
    }

    Node& node_;
    const Supervisor& supervisor_;
    const Clock& clock_;
    telemetry::Telemetry& telemetry_;
    bool ready_ = false;
    bool turned_ = true;
    Duration next_extension_{};
    Duration next_sign_{};
};

/// Until a signal asks for the end; which one.
int watch(Node& node, const ServerSignals& signals, const Supervisor& supervisor,
          const Clock& clock, telemetry::Telemetry& telemetry) {
    SignsOfLife signs(node, supervisor, clock, telemetry);
    while (!signals.stop()) {
        signs.turn();
        for (const int signal : signals.wait(signs.pause())) {
            const auto hint = signal == SIGHUP
                                  ? "files are read at start only: restart to change them"
                                  : "SIGTERM ends it";
            telemetry.logger.info("app", ServerSignals::name(signal) + ": the server goes on",
                                  {{"hint", hint}});
        }
    }
    return *signals.stop();
}

int serve(const StartArguments& arguments, const Environment& environment) {
    auto start = prepare_start(arguments, environment);
    if (!start.errors.empty()) {
        return complain_of_all(start.errors);
    }
    const SystemClock clock;
    telemetry::Telemetry telemetry(clock, start.config.log_level);
    for (const auto& warning : start.warnings) {
        telemetry.logger.warn("app", warning.what, {{"hint", warning.hint}});
    }
    const ServerSignals signals;
    const Supervisor supervisor(environment);
    supervisor.opening();
    auto node = Node::open(std::move(start.config), clock, telemetry);
    if (!node) {
        return complain(node.error());
    }
    (*node)->start();
    // Not by stdio: that nobody may hear the line is no reason to end, or to end with another code.
    const auto line = fmt::format("listening on {}\n", (*node)->url());
    if (write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
        telemetry.logger.warn("app", "can't write the address to standard output",
                              {{"error", std::strerror(errno)}});
    }
    const int signal = watch(**node, signals, supervisor, clock, telemetry);
    telemetry.logger.info("app", "stopping", {{"signal", ServerSignals::name(signal)}});
    supervisor.stopping();
    (*node)->stop();
    return ServerSignals::exit_code(signal);
}

}  // namespace

Command serve_command(const Environment& environment) {
    auto arguments = std::make_shared<StartArguments>();
    auto config_file = std::make_shared<std::string>();
    Command command;
    command.name = "serve";
    command.summary = "Run the server";
    command.description =
        "Takes events from AWS, GCP and Azure over HTTP, keeps them in the durable log of a data "
        "directory, decides a verdict "
        "per case, and answers\n"
        "queries. The first line on standard output is `listening on http://HOST:PORT` (https with "
        "http.tls.cert_file); logs go to standard error as JSON.\n"
        "GET /ready answers 200 once it may take traffic. SIGTERM and Ctrl-C drain and exit 0, a "
        "second Ctrl-C ends "
        "at once.\n"
        "SIGHUP, SIGUSR1 and SIGUSR2 are told in the log and change nothing; a terminal that hangs "
        "up drains it, exit 129.\n"
        "systemd's Type=notify and watchdog are served (deploy/systemd/helios.service).\n"
        "Every option of `helios config reference` can also be set by --config FILE or the "
        "environment; flags win.";
    command.examples = {
        "helios serve",
        "helios serve --listen 127.0.0.1:0 --data /var/lib/helios --flow flows/order.yaml",
        "LOG_LEVEL=debug helios serve --config helios.yaml"};
    command.options = start_options(*arguments);
    command.options.insert(
        command.options.begin() + 2,
        {"--config", "FILE", "configuration file (YAML)", config_file.get(), false, {}});
    command.run = [arguments, config_file, environment] {
        if (!config_file->empty()) {
            arguments->config_files = {*config_file};
        }
        return serve(*arguments, environment);
    };
    return command;
}

}  // namespace helios::app
