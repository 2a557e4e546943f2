#include <fmt/format.h>

#include "app/cli.h"

namespace helios::app {

Command version_command() {
    Command command;
    command.name = "version";
    command.summary = "Print the version";
    command.run = [] {
        fmt::print("helios {}\n", HELIOS_VERSION);
        return 0;
    };
    return command;
}

}  // namespace helios::app
