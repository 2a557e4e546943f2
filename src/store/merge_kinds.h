#pragma once
/// A list over several kinds, newest first: each kind is in order by itself and is asked for a few
/// rows at a time, more where many are taken from. Private to the room.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <queue>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/kinds.h"

namespace helios::store {

template <class Answer, class Row>
Status take_rows(Answer&& answer, std::deque<Row>& out) {
    while (answer.next()) {
        out.push_back(answer.row());
    }
    return answer.status();
}

/// What is left of one kind below a place. Source: Row, Place, place_of(row) and
/// fetch(kind, before, rows, out): at most as many rows below the place, newest first.
template <class Source>
class KindRows {
public:
    using Row = typename Source::Row;
    using Place = typename Source::Place;

    KindRows(const Source& source, std::int64_t kind, Place before)
        : source_(&source), kind_(kind), before_(std::move(before)) {}

    /// Is there a row? Then front() is it. No more than `wanted` are needed.
    Result<bool> fetch(std::size_t wanted) {
        if (rows_.empty() && !ended_) {
            const std::size_t rows = std::min(next_fetch_, wanted);
            next_fetch_ *= 2;
            HELIOS_TRY(source_->fetch(kind_, before_, rows, rows_));
            ended_ = rows_.size() < rows;
            if (!rows_.empty()) {
                before_ = Source::place_of(rows_.back());
            }
        }
        return !rows_.empty();
    }
    Place front_place() const { return Source::place_of(rows_.front()); }
    Row take_front() {
        Row row = std::move(rows_.front());
        rows_.pop_front();
        return row;
    }

private:
    const Source* source_;
    std::int64_t kind_;
    Place before_;
    std::size_t next_fetch_ = 8;
    bool ended_ = false;
    std::deque<Row> rows_;
};

/// Adds rows of the kinds below `before`, newest first, until `out` has `rows`.
template <class Source>
Status merge_kinds(const Source& source, std::span<const Kind> kinds,
                   const typename Source::Place& before, std::size_t rows,
                   std::vector<typename Source::Row>& out) {
    std::vector<KindRows<Source>> of_kinds;
    of_kinds.reserve(kinds.size());
    const auto older = [&](std::size_t a, std::size_t b) {
        return of_kinds[a].front_place() < of_kinds[b].front_place();
    };
    std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(older)> newest(older);
    for (const Kind& kind : kinds) {
        of_kinds.emplace_back(source, kind.id, before);
        HELIOS_TRY_ASSIGN(const bool some, of_kinds.back().fetch(rows));
        if (some) {
            newest.push(of_kinds.size() - 1);
        }
    }
    while (out.size() < rows && !newest.empty()) {
        const std::size_t kind = newest.top();
        newest.pop();
        out.push_back(of_kinds[kind].take_front());
        HELIOS_TRY_ASSIGN(const bool some, of_kinds[kind].fetch(rows - out.size() + 1));
        if (some) {
            newest.push(kind);
        }
    }
    return {};
}

}  // namespace helios::store
