#include "app/cli.h"

namespace helios::app {
Command reconcile_command() {
    Command command;
    command.name = "reconcile";
    command.summary = "The same verdicts offline, from files or standard input";
    command.run = [] { return complain({ErrorKind::unavailable, "reconcile is being wired", ""}); };
    return command;
}
}  // namespace helios::app
