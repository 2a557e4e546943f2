#pragma once
/// SQL as a literal of the program, with the stored numbers of enumerations written as words:
/// `WHERE status = {pending}`. The text is put together at compile time; a word that is not in the
/// list does not compile.

#include <array>
#include <cstddef>
#include <string_view>

#include "base/assert.h"
#include "model/dlq_outcome.h"
#include "model/redrive.h"
#include "model/verdict.h"
#include "store/database.h"
#include "store/written_rows.h"

namespace helios::store {

struct SqlWord {
    std::string_view word;
    unsigned number;
};

inline constexpr std::array sql_words{
    SqlWord{"pending", static_cast<unsigned>(model::VerdictStatus::pending)},
    SqlWord{"partial", static_cast<unsigned>(model::VerdictStatus::partial)},
    SqlWord{"mismatched", static_cast<unsigned>(model::VerdictStatus::mismatched)},
    SqlWord{"waiting", static_cast<unsigned>(model::DlqStatus::waiting)},
    SqlWord{"is_accepted", static_cast<unsigned>(model::DlqStatus::accepted)},
    SqlWord{"is_discarded", static_cast<unsigned>(model::DlqStatus::discarded)},
    SqlWord{"is_exhausted", static_cast<unsigned>(model::DlqStatus::exhausted)},
    SqlWord{"accepted", static_cast<unsigned>(model::DlqResult::accepted)},
    SqlWord{"duplicate", static_cast<unsigned>(model::DlqResult::duplicate)},
    SqlWord{"exhausted", static_cast<unsigned>(model::DlqResult::exhausted)},
    SqlWord{"discarded", static_cast<unsigned>(model::DlqResult::discarded)},
    SqlWord{"running", static_cast<unsigned>(model::RedrivePhase::running)},
    SqlWord{"absence", static_cast<unsigned>(ControlKind::absence)},
    SqlWord{"flow", static_cast<unsigned>(ControlKind::flow)},
};

/// One or more literals, one after the other. Must be a static constant: Sql points into it.
template <std::size_t Bytes>
class SqlText {
public:
    template <std::size_t... N>
    consteval SqlText(const char (&... parts)[N])  // NOLINT(google-explicit-constructor)
    {
        (add(std::string_view(parts, N - 1)), ...);
    }
    consteval operator Sql() const  // NOLINT(google-explicit-constructor): it is one
    {
        return {text_.data()};
    }
    constexpr std::string_view text() const { return {text_.data(), size_}; }

private:
    consteval void add(std::string_view part) {
        while (!part.empty()) {
            if (part.front() != '{') {
                text_.at(size_++) = part.front();
                part.remove_prefix(1);
                continue;
            }
            const std::size_t end = part.find('}');
            add_number(number_of(part.substr(1, end - 1)));
            part.remove_prefix(end + 1);
        }
    }
    consteval void add_number(unsigned number) {
        if (number >= 10) {
            add_number(number / 10);
        }
        text_.at(size_++) = static_cast<char>('0' + number % 10);
    }
    static consteval unsigned number_of(std::string_view word) {
        for (const auto& known : sql_words) {
            if (known.word == word) {
                return known.number;
            }
        }
        HELIOS_ASSERT(false, "a word that stands for no number");  // does not compile
        return 0;
    }

    std::array<char, Bytes> text_{};
    std::size_t size_ = 0;
};
template <std::size_t... N>
SqlText(const char (&... parts)[N]) -> SqlText<(N + ...)>;

}  // namespace helios::store
