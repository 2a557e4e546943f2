#pragma once
/// From options to a queue of their kind.

#include "sources/endpoint.h"
#include "sources/https_client.h"
#include "sources/pull_options.h"
#include "sources/puller.h"

namespace helios::sources {

/// Of options that are valid; all receivers share one credential. Nothing is asked yet.
OpenQueue queue_of(const PullOptions& options, const HttpsOptions& https, CredentialParts parts);

}  // namespace helios::sources
