#include "inference/dense.h"

#include <algorithm>
#include <array>

// libgomp has no header that clang finds.
extern "C" void omp_set_num_threads(int count);
extern "C" int omp_get_max_threads();

namespace embedrouter::inference {
namespace {

using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

dnnl::memory::desc matrix(std::uint32_t rows, std::uint32_t columns, Type type, Tag tag = Tag::ab) {
  return {{rows, columns}, type, tag};
}

}  // namespace

OneThreadTeam::OneThreadTeam() : former_(omp_get_max_threads()) {
  omp_set_num_threads(1);
}
OneThreadTeam::~OneThreadTeam() {
  omp_set_num_threads(former_);
}

Dense::Dense(const dnnl::engine& engine, const DenseShape& shape) : shape_(shape), engine_(engine) {
  const Type type = shape.numbers == Numbers::bf16 ? Type::bf16 : Type::f32;
  // The format the library likes for whole blocks serves all: a second copy of the weights would cost more
  // than it gains.
  const auto whole = describe(kBlockRows, matrix(shape.in, shape.out, type, Tag::any));
  packed_ = whole.weights_desc();
  implementation_ = whole.impl_info_str();
  products_.reserve(kBlockRows / 4);
  for (std::uint32_t rows = 4; rows <= kBlockRows; rows += 4) {
    const auto description = describe(rows, packed_);
    scratch_bytes_ = std::max(scratch_bytes_, description.scratchpad_desc().get_size());
    products_.emplace_back(description);
  }
}

std::string Dense::implementation() const {
  return implementation_;
}

dnnl::memory::desc Dense::in_desc(std::uint32_t rows) const {
  return matrix(rows, shape_.in, shape_.numbers == Numbers::bf16 ? Type::bf16 : Type::f32);
}

dnnl::memory::desc Dense::out_desc(std::uint32_t rows) const {
  return matrix(rows, shape_.out, shape_.writes_bf16() ? Type::bf16 : Type::f32);
}

dnnl::matmul::primitive_desc Dense::describe(std::uint32_t rows, const dnnl::memory::desc& weights) const {
  dnnl::post_ops finish;
  const auto apply = [&finish](dnnl::algorithm function) {
    finish.append_eltwise(1.0F, function, 0.0F, 0.0F);
  };
  switch (shape_.finish) {
    case Finish::none:
      break;
    case Finish::gelu:
      apply(dnnl::algorithm::eltwise_gelu_erf);
      break;
    case Finish::gelu_tanh:
      apply(dnnl::algorithm::eltwise_gelu_tanh);
      break;
    case Finish::relu:
      apply(dnnl::algorithm::eltwise_relu);
      break;
    case Finish::add:
      finish.append_sum(1.0F);
  }
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(finish);
  // The library's own scratch space belongs to the thread that made the primitive.
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::matmul::desc operation(in_desc(rows), weights, matrix(1, shape_.out, Type::f32),
                                     out_desc(rows));
  return {operation, attributes, engine_};
}

PackedDense Dense::pack(std::span<const float> weights, std::span<const float> bias) const {
  dnnl::stream stream(engine_);
  PackedDense packed;
  // Read as its transpose: [in][out] with the strides of [out][in]. The library does not write to a reorder's
  // source.
  dnnl::memory plain(matrix(shape_.in, shape_.out, Type::f32, Tag::ba), engine_,
                     const_cast<float*>(weights.data()));
  packed.weights = dnnl::memory(packed_, engine_);
  dnnl::reorder(plain, packed.weights).execute(stream, plain, packed.weights);
  packed.bias = dnnl::memory(matrix(1, shape_.out, Type::f32), engine_);
  std::ranges::copy(bias, static_cast<float*>(packed.bias.get_data_handle()));
  stream.wait();
  return packed;
}

Dense::Lane::Lane(const Dense& dense, const dnnl::stream& stream, void* scratch)
    : dense_(&dense),
      stream_(stream),
      scratch_({{static_cast<dnnl::memory::dim>(dense.scratch_bytes_ + 1)}, Type::u8, Tag::a}, dense.engine_,
               scratch) {
  for (std::uint32_t rows = 4; rows <= kBlockRows; rows += 4) {
    arguments_.push_back({dnnl::memory(dense.in_desc(rows), dense.engine_, nullptr),
                          dnnl::memory(dense.out_desc(rows), dense.engine_, nullptr)});
  }
}

bool Dense::Lane::run(const PackedDense& layer, const void* in, void* out, std::uint32_t rows) {
  const std::size_t size = padded_rows(rows) / 4 - 1;
  const Arguments& arguments = arguments_[size];
  // The C interface: the C++ one builds a map of memory objects per call, and throws.
  const std::array<dnnl_exec_arg_t, 5> list{{{DNNL_ARG_SRC, arguments.in.get()},
                                             {DNNL_ARG_WEIGHTS, layer.weights.get()},
                                             {DNNL_ARG_BIAS, layer.bias.get()},
                                             {DNNL_ARG_DST, arguments.out.get()},
                                             {DNNL_ARG_SCRATCHPAD, scratch_.get()}}};
  return dnnl_memory_set_data_handle(arguments.in.get(), const_cast<void*>(in)) == dnnl_success &&
         dnnl_memory_set_data_handle(arguments.out.get(), out) == dnnl_success &&
         dnnl_primitive_execute(dense_->products_[size].get(), stream_.get(), static_cast<int>(list.size()),
                                list.data()) == dnnl_success;
}

}  // namespace embedrouter::inference
