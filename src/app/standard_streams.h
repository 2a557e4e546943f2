#pragma once
/// Guards the standard streams: no file of ours ever becomes one of them, and lost output is
/// reported.

#include <exception>

namespace helios::app {

/// Opens /dev/null on those of the descriptors 0, 1, 2 that the caller closed, so that no file or
/// pipe opened later takes their place. Reading such a standard input, and writing to such a
/// standard output, still fails. Call first in main.
void open_closed_streams();

/// From now on std::cout writes through stdio, and throws std::system_error with errno's reason
/// when it can't, as fmt::print does: a command whose reader has gone ends instead of working on.
/// Call before anything is printed.
void make_cout_throw();

/// `exit_code`, or 2 and a sentence on stderr if something written to standard output did not get
/// there. Without the sentence if only its reader has gone (EPIPE). Call last in main.
int finish_output(int exit_code);

/// For what ended a command by an exception: printing throws when it can't write. 2, and the
/// sentence as above.
int complain_of(const std::exception& error);

}  // namespace helios::app
