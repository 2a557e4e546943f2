#include "reconcile/quote.h"

#include <algorithm>

#include "base/shown.h"

namespace helios::reconcile {

std::string in_quotes(std::string_view text) {
    return '"' + shown(text) + '"';
}

std::string named(std::string_view text) {
    const bool word = !text.empty() && text.size() <= 2 * shown_bytes_max &&
                      std::all_of(text.begin(), text.end(),
                                  [](char c) { return c > ' ' && c <= '~' && c != '"'; });
    return word ? std::string(text) : in_quotes(text);
}

}  // namespace helios::reconcile
