#pragma once
/// Bugs crash, in every build: a broken invariant must not go on to write a wrong verdict.

#include <string_view>

namespace helios {
[[noreturn]] void assertion_failed(std::string_view condition, std::string_view message,
                                   const char* file, int line);
}  // namespace helios

/// Aborts with condition, message and place if `condition` is false. Never for outside bytes: those
/// are values or errors.
#define HELIOS_ASSERT(condition, message)                                          \
    do {                                                                           \
        if (!(condition)) [[unlikely]] {                                           \
            ::helios::assertion_failed(#condition, (message), __FILE__, __LINE__); \
        }                                                                          \
    } while (false)
