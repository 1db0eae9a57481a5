#include "inference/onednn_dense.h"

#include <algorithm>
#include <array>

namespace embedrouter::inference {
namespace {

using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

dnnl::memory::desc matrix(std::uint32_t rows, std::uint32_t columns, Type type, Tag tag = Tag::ab) {
  return {{rows, columns}, type, tag};
}

}  // namespace

OneDnnDense::OneDnnDense(const dnnl::engine& engine, const DenseShape& shape)
    : Dense(shape), engine_(engine) {
  const Type type = shape.reads_bf16() ? Type::bf16 : Type::f32;
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

std::string OneDnnDense::implementation() const {
  return implementation_;
}

dnnl::memory::desc OneDnnDense::in_desc(std::uint32_t rows) const {
  return matrix(rows, shape().in, shape().reads_bf16() ? Type::bf16 : Type::f32);
}

dnnl::memory::desc OneDnnDense::out_desc(std::uint32_t rows) const {
  return matrix(rows, shape().out, shape().writes_bf16() ? Type::bf16 : Type::f32);
}

dnnl::matmul::primitive_desc OneDnnDense::describe(std::uint32_t rows,
                                                   const dnnl::memory::desc& weights) const {
  dnnl::post_ops finish;
  const auto apply = [&finish](dnnl::algorithm function) {
    finish.append_eltwise(1.0F, function, 0.0F, 0.0F);
  };
  switch (shape().finish) {
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
  const dnnl::matmul::desc operation(in_desc(rows), weights, matrix(1, shape().out, Type::f32),
                                     out_desc(rows));
  return {operation, attributes, engine_};
}

PackedDense OneDnnDense::pack(std::span<const float> weights, std::span<const float> bias,
                              Arena& arena) const {
  dnnl::stream stream(engine_);
  std::byte* const to = arena.allocate(packed_.get_size());
  // Read as its transpose: [in][out] with the strides of [out][in]. The library does not write to a reorder's
  // source.
  dnnl::memory plain(matrix(shape().in, shape().out, Type::f32, Tag::ba), engine_,
                     const_cast<float*>(weights.data()));
  dnnl::memory panels(packed_, engine_, to);
  dnnl::reorder(plain, panels).execute(stream, plain, panels);
  stream.wait();
  return {to, arena.copy(bias)};
}

// Arguments for every number of rows; whose memory they are is said per call.
class OneDnnDense::OneThread final : public Dense::Lane {
 public:
  OneThread(const OneDnnDense& dense, Arena& arena)
      : dense_(dense),
        stream_(dense.engine_),
        weights_(dense.packed_, dense.engine_, nullptr),
        bias_(matrix(1, dense.shape().out, Type::f32), dense.engine_, nullptr),
        scratch_({{static_cast<dnnl::memory::dim>(dense.scratch_bytes_ + 1)}, Type::u8, Tag::a},
                 dense.engine_, arena.allocate(dense.scratch_bytes_ + 1)) {
    for (std::uint32_t rows = 4; rows <= kBlockRows; rows += 4) {
      arguments_.push_back({dnnl::memory(dense.in_desc(rows), dense.engine_, nullptr),
                            dnnl::memory(dense.out_desc(rows), dense.engine_, nullptr)});
    }
  }

  bool run(const PackedDense& layer, const void* in, void* out, std::uint32_t rows) override {
    const std::size_t size = padded_rows(rows) / 4 - 1;
    const Arguments& arguments = arguments_[size];
    // The C interface: the C++ one builds a map of memory objects per call, and throws.
    const std::array<dnnl_exec_arg_t, 5> list{{{DNNL_ARG_SRC, arguments.in.get()},
                                               {DNNL_ARG_WEIGHTS, weights_.get()},
                                               {DNNL_ARG_BIAS, bias_.get()},
                                               {DNNL_ARG_DST, arguments.out.get()},
                                               {DNNL_ARG_SCRATCHPAD, scratch_.get()}}};
    return point(arguments.in, in) && point(arguments.out, out) && point(weights_, layer.weights) &&
           point(bias_, layer.bias) &&
           dnnl_primitive_execute(dense_.products_[size].get(), stream_.get(), static_cast<int>(list.size()),
                                  list.data()) == dnnl_success;
  }

 private:
  struct Arguments {
    dnnl::memory in, out;
  };
  static bool point(const dnnl::memory& memory, const void* data) {
    return dnnl_memory_set_data_handle(memory.get(), const_cast<void*>(data)) == dnnl_success;
  }

  const OneDnnDense& dense_;
  dnnl::stream stream_;
  dnnl::memory weights_, bias_, scratch_;
  std::vector<Arguments> arguments_;  // by padded rows / 4 - 1
};

std::unique_ptr<Dense::Lane> OneDnnDense::lane(Arena& arena) const {
  return std::make_unique<OneThread>(*this, arena);
}

}  // namespace embedrouter::inference
