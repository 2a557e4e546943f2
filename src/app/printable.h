#pragma once
/// Text of strangers on a terminal: helios::printable.

#include "base/shown.h"  // IWYU pragma: export
