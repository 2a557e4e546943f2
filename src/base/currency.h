#pragma once
/// ISO 4217: the codes, and how many digits the minor unit of each has.

#include <string_view>

namespace helios {

/// Minor units of a currency ("USD" 2, "JPY" 0, "KWD" 3); 2 when unknown or without any ("XXX").
int currency_minor_units(std::string_view currency);

/// A code of the list: what is in use, funds and special codes ("XXX": no currency), and what was
/// withdrawn since 2020.
bool is_iso_4217(std::string_view currency);

}  // namespace helios
