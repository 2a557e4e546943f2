#pragma once
/// Comparisons whose duration says nothing about where two texts differ.

#include <span>
#include <string>
#include <string_view>

namespace helios::auth {

/// For texts whose length is no secret: signatures, digests. Of different lengths: false at once.
bool equal_in_constant_time(std::string_view a, std::string_view b);

/// Is `presented` one of `secrets`? Takes as long whichever it is, and whether it is one, and does
/// not give away the length of a secret.
bool is_one_of(std::string_view presented, std::span<const std::string> secrets);

}  // namespace helios::auth
