#pragma once
/// Sorted scratch space on disk for offline work, so that memory doesn't grow with the input.
/// Nothing in it outlives the run.
///
/// The only file of this room that knows RocksDB.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "reconcile/closed_cases.h"

namespace helios::reconcile {

/// One thread. `unavailable` from anything: the disk is full or failing.
class Spill {
public:
    /// `directory` is empty or absent; its files stay until whoever made it removes it.
    static Result<std::unique_ptr<Spill>> open(const std::string& directory);
    ~Spill();

    Status put(std::string_view key, std::string_view value);
    Status remove(std::string_view key);
    Result<std::optional<std::string>> get(std::string_view key);
    /// Every entry whose key begins with `prefix`, in byte order, as they were when the scan began.
    /// Stops with the visitor's error.
    Status scan(std::string_view prefix,
                const std::function<Status(std::string_view key, std::string_view value)>& visit);

private:
    struct State;
    explicit Spill(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// Closed cases on disk. A failing disk is remembered: ask health() before trusting what came out.
class SpilledClosedCases final : public ClosedCases {
public:
    explicit SpilledClosedCases(Spill& spill) : spill_(spill) {}
    std::optional<ClosedCase> find(const std::string& id) override;
    void put(const std::string& id, ClosedCase closed) override;
    void expire(Instant) override {}  // disk is patient

private:
    Spill& spill_;
};

/// Big-endian with the sign bit flipped: byte order is numeric order.
void append_sortable(std::string& out, std::int64_t value);
std::int64_t read_sortable(std::string_view eight_bytes);

}  // namespace helios::reconcile
