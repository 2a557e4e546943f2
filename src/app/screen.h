#pragma once
/// What the terminal at the other end of a standard stream can do: the one place that asks the
/// machine.

#include "app/environment.h"
#include "base/terminal.h"

namespace helios::app {

/// Colour: a terminal, TERM not "dumb", and neither NO_COLOR nor an empty TERM. Rewriting:
/// likewise, whatever NO_COLOR says. ASCII: the locale (LC_ALL, else LC_CTYPE, else LANG) names no
/// UTF-8; also where there is no terminal. Width: COLUMNS, else what the terminal says, else 80;
/// without a terminal lines are as long as they are.
Screen screen_of(int descriptor, const Environment& environment);

}  // namespace helios::app
