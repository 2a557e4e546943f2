#pragma once
/// The command line: commands are plain descriptions; one file (cli.cpp) knows the library that
/// parses them.
///
/// Exit codes everywhere: 0 good, 1 the answer is "no", 2 usage or failure.

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "app/environment.h"
#include "base/json.h"
#include "base/result.h"

namespace helios::app {

struct Option {
    std::string name;   ///< "--listen", or "FILE" for a positional
    std::string value;  ///< what stands for the value in help, "HOST:PORT"; empty for flags
    std::string help;
    std::variant<std::string*, std::vector<std::string>*, bool*> target;
    bool required = false;
    std::vector<std::string> choices;  ///< empty: any
};

struct Command {
    std::string name;
    std::string summary;      ///< one line, for the list of commands
    std::string description;  ///< paragraphs, for its own help
    std::vector<std::string>
        examples;  ///< whole lines: "helios log tail --data ./helios-data   # follow everything"
    std::vector<Option> options;
    std::vector<Command> subcommands;  ///< if any, one of them must be given
    std::function<int()> run;
};

/// Parses and runs. Prints help, versions and errors ("what; hint", nearest names) itself.
int run_command_line(int argc, const char* const* argv, const std::vector<Command>& commands);

/// "helios: what\n  hint" on stderr, harmless for terminals; returns exit_code. Never fails.
int complain(const Error& error, int exit_code = 2);

/// "name":["what; hint",…]
void write_messages(json::Writer& out, std::string_view name, const std::vector<Error>& errors);

/// Each of them; at least one.
int complain_of_all(const std::vector<Error>& errors, int exit_code = 2);

// One per file command_<name>.cpp.
Command serve_command(const Environment& environment);
Command demo_command(const Environment& environment);
Command ingest_command(const Environment& environment);
Command reconcile_command(const Environment& environment);
Command explain_command(const Environment& environment);
Command mismatches_command(const Environment& environment);
Command stats_command(const Environment& environment);
Command events_command(const Environment& environment);
Command health_command(const Environment& environment);
Command stream_command(const Environment& environment);
Command flow_command();
Command dlq_command(const Environment& environment);
Command log_command(const Environment& environment);
Command store_command(const Environment& environment);
Command key_command(const Environment& environment);
Command source_command(const Environment& environment);
Command config_command(const Environment& environment);
Command bench_command(const Environment& environment);
Command version_command();

}  // namespace helios::app
