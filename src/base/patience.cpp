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

std::unexpected<Error> given_up() {
    return fail(ErrorKind::stopping, "the question was given up before its answer was there",
                "the server stops, or whoever asked has ended the connection: ask again");
}

}  // namespace helios
