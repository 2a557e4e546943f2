#pragma once
/// A value of a stranger's event, quoted for a person.

#include <string>
#include <string_view>

namespace helios::reconcile {

/// In double quotes, at most about 60 characters of it, then "…". What cannot be seen or would steer a terminal (control
/// characters, blanks other than U+0020, marks that change the direction of writing, bytes that are no UTF-8) is written as
/// \uXXXX or \xXX.
std::string in_quotes(std::string_view text);

/// The same, but a short word of visible ASCII stands as it is: names, statuses, numbers in a sentence.
std::string named(std::string_view text);

}  // namespace helios::reconcile
