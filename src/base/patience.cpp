#include "base/patience.h"

#include <utility>

namespace helios {
namespace {

thread_local Patience current;

}  // namespace

PatienceScope::PatienceScope(const Patience& patience)
    : before_(std::exchange(current, patience)) {}

PatienceScope::~PatienceScope() {
    current = before_;
}

const Patience& current_patience() {
    return current;
}

}  // namespace helios
