#pragma once
/// A statement in one place: its SQL, the parameters it is asked with and the columns it answers,
/// by name.
///
///   struct FlowsWith {
///       static constexpr SqlText sql{"SELECT DISTINCT flow FROM cases WHERE tenant = :tenant …"};
///       static constexpr std::tuple parameters{named("tenant", &CaseKey::tenant), …};
///       using Row = std::string;
///       static constexpr std::tuple columns{named("flow", std::identity{})};
///   };
///   auto answer = prepared.ask(key);  while (answer.next()) { answer.row() … }  answer.status()
///
/// Names are looked up once, when the statement is prepared; afterwards a value is bound and read
/// by its place. A name that the SQL does not have, or a parameter that nobody binds, is a bug and
/// found there. Private to the room. Knows no table.

#include <algorithm>
#include <array>
#include <concepts>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/tenant.h"
#include "base/time.h"
#include "store/database.h"

namespace helios::store {

/// Bytes that are no text.
struct Blob {
    std::string_view bytes;
};

/// A parameter or column, and what of a value stands there: a pointer to a member, or a function
/// that names it.
template <class Part>
struct Named {
    std::string_view name;
    Part part;
};
template <class Part>
constexpr Named<Part> named(std::string_view name, Part part) {
    return {name, part};
}

/// A part of a part.
constexpr auto part_of(auto outer, auto inner) {
    return [outer, inner](const auto& row) -> const auto& {
        return std::invoke(inner, std::invoke(outer, row));
    };
}

/// Of what is called `of`, or `row`.
constexpr auto of_case(auto member) {
    return [member](const auto& values) -> const auto& { return std::invoke(member, values.of); };
}
constexpr auto of_row(auto member) {
    return [member](const auto& values) -> const auto& { return std::invoke(member, values.row); };
}

/// std::optional is NULL where it is empty.
template <class T>
void bind_value(Statement& statement, int index, const T& value) {
    if constexpr (requires { value.has_value(); }) {
        if (value.has_value()) {
            bind_value(statement, index, *value);
        } else {
            statement.bind_null(index);
        }
    } else if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
        statement.bind(index, static_cast<std::int64_t>(value));
    } else if constexpr (std::same_as<T, Instant>) {
        statement.bind(index, to_nanos(value));
    } else if constexpr (std::same_as<T, Blob>) {
        statement.bind_blob(index, value.bytes);
    } else if constexpr (std::same_as<T, TenantId>) {
        statement.bind(index, std::string_view(value.text()));
    } else {
        statement.bind(index, std::string_view(value));
    }
}

/// Views are valid until the next row.
template <class T>
void read_value(const Statement& statement, int column, T& out) {
    if constexpr (requires { out.has_value(); }) {
        out.reset();
        if (!statement.is_null(column)) {
            read_value(statement, column, out.emplace());
        }
    } else if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
        out = static_cast<T>(statement.integer(column));
    } else if constexpr (std::same_as<T, Instant>) {
        out = statement.time(column);
    } else if constexpr (std::same_as<T, Blob>) {
        out.bytes = statement.blob(column);
    } else {
        out = statement.text(column);
    }
}

/// What a statement answers, row by row. Resets it at its end, so that no snapshot stays open.
template <class S>
class Answer {
public:
    Answer(Statement& statement, std::span<const int> columns)
        : statement_(statement), columns_(columns) {}
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;
    ~Answer() { statement_.reset(); }

    /// The next row; false at the end and on errors (status() tells which).
    bool next() { return statement_.row(); }
    Status status() const { return statement_.status(); }

    typename S::Row row() const {
        typename S::Row row{};
        std::apply(
            [&](const auto&... column) {
                [[maybe_unused]] std::size_t i = 0;
                (read(column.part, columns_[i++], row), ...);
            },
            S::columns);
        return row;
    }

    /// All that are left.
    Result<std::vector<typename S::Row>> rows() {
        std::vector<typename S::Row> all;
        while (next()) {
            all.push_back(row());
        }
        HELIOS_TRY(status());
        return all;
    }

private:
    template <class Part>
    void read(const Part& part, int column, typename S::Row& row) const {
        if constexpr (std::invocable<Part, typename S::Row&, std::int64_t>) {
            std::invoke(part, row, statement_.integer(column));  // sets what is told by a number
        } else {
            read_value(statement_, column, std::invoke(part, row));
        }
    }

    Statement& statement_;
    std::span<const int> columns_;
};

/// Statement S on one connection. Not thread-safe; must not outlive the database.
template <class S>
class Prepared {
public:
    Status prepare(Database& database) {
        HELIOS_TRY_ASSIGN(statement_, database.prepare(S::sql));
        std::apply(
            [this](const auto&... parameter) {
                [[maybe_unused]] std::size_t i = 0;
                ((parameters_[i++] = statement_.parameter(parameter.name)), ...);
            },
            S::parameters);
        HELIOS_ASSERT(std::ranges::count(parameters_, 0) == 0 &&
                          statement_.parameters() == static_cast<int>(parameters_.size()),
                      "a statement's parameters are those of its SQL");
        if constexpr (requires { S::columns; }) {
            std::apply(
                [this](const auto&... column) {
                    [[maybe_unused]] std::size_t i = 0;
                    ((columns_[i++] = statement_.column(column.name)), ...);
                },
                S::columns);
            HELIOS_ASSERT(std::ranges::count(columns_, -1) == 0,
                          "a statement's columns are among those of its SQL");
        }
        return {};
    }

    /// Asks with what `values` holds. Texts are not copied: what `values` stands for must live as
    /// long as the answer.
    template <class Values>
    Answer<S> ask(Values&& values) {
        static_assert(std::is_lvalue_reference_v<Values> ||
                          std::is_trivially_copyable_v<std::remove_cvref_t<Values>>,
                      "texts of a temporary would be gone before the answer");
        bind(values);
        return Answer<S>(statement_, columns_);
    }
    Answer<S> ask() {
        static_assert(std::tuple_size_v<decltype(S::parameters)> == 0);
        return Answer<S>(statement_, columns_);
    }

    /// Runs to the end; for statements that answer nothing.
    template <class Values>
    Status run(const Values& values) {
        bind(values);
        return statement_.run();
    }

private:
    template <class Values>
    void bind(const Values& values) {
        std::apply(
            [&](const auto&... parameter) {
                [[maybe_unused]] std::size_t i = 0;
                (bind_part(parameters_[i++], parameter.part, values), ...);
            },
            S::parameters);
    }
    template <class Part, class Values>
    void bind_part(int index, const Part& part, const Values& values) {
        using Value = decltype(std::invoke(part, values));
        static_assert(!std::same_as<Value, std::string>, "a text that would be gone at once");
        bind_value(statement_, index, std::invoke(part, values));
    }

    static constexpr std::size_t column_count() {
        if constexpr (requires { S::columns; }) {
            return std::tuple_size_v<decltype(S::columns)>;
        } else {
            return 0;
        }
    }

    Statement statement_;
    std::array<int, std::tuple_size_v<decltype(S::parameters)>> parameters_{};
    std::array<int, column_count()> columns_{};
};

/// Several statements of one connection, found by their type.
template <class... S>
class PreparedAll {
public:
    Status prepare(Database& database) {
        Status outcome;
        (void)((outcome = std::get<Prepared<S>>(all_).prepare(database)).has_value() && ...);
        return outcome;
    }
    template <class One>
    Prepared<One>& get() {
        return std::get<Prepared<One>>(all_);
    }

private:
    std::tuple<Prepared<S>...> all_;
};

}  // namespace helios::store
