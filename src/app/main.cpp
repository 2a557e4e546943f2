#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "app/cli.h"
#include "app/standard_streams.h"

extern char** environ;

namespace {

/// An empty variable counts as unset, for libraries too: `TMPDIR=` must not name a directory.
helios::app::Environment read_environment() {
    helios::app::Environment out;
    std::vector<std::string> empty;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view line = *entry;
        const auto equals = line.find('=');
        const auto value =
            equals == std::string_view::npos ? std::string_view{} : line.substr(equals + 1);
        if (value.empty()) {
            empty.emplace_back(line.substr(0, equals));
        } else {
            out.emplace(line.substr(0, equals), value);
        }
    }
    for (const auto& name : empty) {
        unsetenv(name.c_str());
    }
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace helios::app;
    open_closed_streams();
    make_cout_throw();
    try {
        const auto environment = read_environment();
        return finish_output(run_command_line(
            argc, argv,
            {serve_command(environment), demo_command(environment), ingest_command(environment),
             reconcile_command(environment), explain_command(environment),
             mismatches_command(environment), stats_command(environment),
             events_command(environment), health_command(environment), stream_command(environment),
             flow_command(), dlq_command(environment), log_command(environment),
             store_command(environment), key_command(environment), source_command(environment),
             config_command(environment), bench_command(environment), version_command()}));
    } catch (const std::exception& error) {  // printing throws when it can't write
        return complain_of(error);
    }
}
