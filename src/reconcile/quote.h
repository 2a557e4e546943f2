#pragma once
/// A value of a stranger's event, quoted for a person.

#include <string>
#include <string_view>

namespace helios::reconcile {

/// shown() in double quotes.
std::string in_quotes(std::string_view text);

/// The same, but a short word of visible ASCII stands as it is: names, statuses, numbers in a
/// sentence.
std::string named(std::string_view text);

}  // namespace helios::reconcile
