#pragma once
#include "api/model_list.h"
#include "catalog/catalog.h"

namespace embedrouter::catalog {

// The model as the lists of the API show it, without what is measured. Views of `model`; its endpoints are in
// the same order.
api::ListedModel listed(const Model& model);

}  // namespace embedrouter::catalog
