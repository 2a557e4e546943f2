#include "base/caller.h"

namespace helios {

Caller local_caller() {
    Caller caller(default_tenant());
    caller.subject = "local";
    caller.roles = Roles::all();
    return caller;
}

}  // namespace helios
