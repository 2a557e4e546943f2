#pragma once
/// What `helios dlq` changes; looking is in command_dlq.cpp.

#include "app/cli.h"

namespace helios::app {

Command dlq_resubmit_command(const Environment& environment);
Command dlq_discard_command(const Environment& environment);
Command dlq_redrive_command(const Environment& environment);

}  // namespace helios::app
