/// Any bytes: an exact value or invalid; what is written reads back; arithmetic never overflows.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "base/decimal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using helios::Decimal;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t cut = text.find(' ');
    const auto a = Decimal::parse(text.substr(0, cut));
    const auto b = Decimal::parse(cut == std::string_view::npos ? "0" : text.substr(cut + 1));
    if (!a || !b) {
        return 0;
    }
    const auto again = Decimal::parse(a->to_string());
    HELIOS_ASSERT(again.has_value() && *again == *a && again->scale() == a->scale(),
                  "does not read back");
    if (const auto sum = Decimal::add(*a, *b)) {
        HELIOS_ASSERT(*Decimal::add(*b, *a) == *sum, "addition depends on order");
        if (const auto back = Decimal::subtract(*sum, *b)) {
            HELIOS_ASSERT(*back == *a, "subtraction does not undo addition");
        }
        HELIOS_ASSERT((*sum > *a) == (*b > Decimal()), "comparison disagrees with addition");
    }
    if (const auto product = Decimal::multiply(*a, *b)) {
        HELIOS_ASSERT(*Decimal::multiply(*b, *a) == *product, "multiplication depends on order");
        HELIOS_ASSERT(product->is_zero() == (a->is_zero() || b->is_zero()), "a zero from nowhere");
    }
    HELIOS_ASSERT((*a < *b) == (*b > *a) && (*a == *b) == (*b == *a),
                  "comparison is not symmetric");
    return 0;
}
