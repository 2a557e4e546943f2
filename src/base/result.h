#pragma once
/// Errors as values. `Result<T>` carries what failed, why, and what to do next; kinds are named by
/// what the caller can do about them. Bad events are not errors but values (see model); bugs crash
/// (see assert.h).

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace helios {

enum class ErrorKind : std::uint8_t {
    invalid,      ///< the input is wrong; the same input can never succeed
    not_found,    ///< it does not exist (yet)
    conflict,     ///< it contradicts what is already there; read again, then decide
    denied,       ///< the caller may not
    exhausted,    ///< a bound was reached; slow down and retry
    unavailable,  ///< a part is not ready or has failed; retry later
    timeout,      ///< no answer within the time allowed; the outcome is unknown
    corrupt,      ///< stored bytes are damaged or of a foreign format; a person must look
    stopping,     ///< this process is shutting down; retry elsewhere or later
};

/// The kind as it appears in logs and metric labels.
std::string_view to_string(ErrorKind kind);

struct Error {
    ErrorKind kind = ErrorKind::invalid;
    std::string what;  ///< what failed and why, for a person
    std::string hint;  ///< what to do next; may be empty

    /// "what; hint" in one line.
    std::string message() const;

    friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = std::expected<void, Error>;

inline std::unexpected<Error> fail(ErrorKind kind, std::string what, std::string hint = {}) {
    return std::unexpected(Error{kind, std::move(what), std::move(hint)});
}
inline std::unexpected<Error> fail(Error error) {
    return std::unexpected(std::move(error));
}

}  // namespace helios

/// Returns the error of `expr` to the caller; otherwise goes on. For Status and for results whose
/// value is not needed.
#define HELIOS_TRY(expr)                                            \
    do {                                                            \
        if (auto helios_try_ = (expr); !helios_try_) {              \
            return std::unexpected(std::move(helios_try_).error()); \
        }                                                           \
    } while (false)

#define HELIOS_CONCAT_INNER(a, b) a##b
#define HELIOS_CONCAT(a, b) HELIOS_CONCAT_INNER(a, b)

/// `HELIOS_TRY_ASSIGN(auto x, f());` binds the value of a Result, or returns its error to the
/// caller.
#define HELIOS_TRY_ASSIGN(lhs, expr)                                                        \
    auto HELIOS_CONCAT(helios_result_, __LINE__) = (expr);                                  \
    if (!HELIOS_CONCAT(helios_result_, __LINE__)) {                                         \
        return std::unexpected(std::move(HELIOS_CONCAT(helios_result_, __LINE__)).error()); \
    }                                                                                       \
    lhs = *std::move(HELIOS_CONCAT(helios_result_, __LINE__))
