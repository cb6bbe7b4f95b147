#!/bin/bash
# usage: train.sh OUTPUT STEPS [--resume …]
DATA=${DATA:-demo-data} HERE=$(dirname "$0") OUTPUT=$1 STEPS=$2
shift 2
OMP_NUM_THREADS=2 lr train --policy act --policy.device cpu \
  --policy.vision-backbone resnet10_narrow --policy.dim-model 192 --policy.n-heads 4 --policy.dim-feedforward 384 \
  --policy.n-encoder-layers 2 --policy.n-decoder-layers 1 --policy.pre-norm --policy.use-vae false --policy.dropout 0 \
  --policy.use-relative-actions --policy.chunk-size 32 --policy.n-action-steps 16 --policy.optimizer-lr-backbone 8e-4 \
  --dataset.root "$DATA/all" --dataset.exclude-episodes "$(cat "$HERE/excluded.json")" --dataset.drop-sources '["hold"]' \
  --dataset.resize 72x96 --dataset.cache disk --dataset.cache-dir "$DATA/cache" \
  --dataset.image-transforms.enable --dataset.image-transforms.max-num-transforms 2 \
  --dataset.image-transforms.brightness '[0.85, 1.15]' --dataset.image-transforms.contrast '[0.85, 1.15]' \
  --dataset.image-transforms.saturation none --dataset.image-transforms.hue none \
  --dataset.image-transforms.sharpness none --dataset.image-transforms.affine '[1.0, 0.015]' \
  --optimizer.lr 8e-4 --optimizer.weight-decay 1e-4 --optimizer.grad-clip-norm 1 \
  --scheduler cosine_decay_with_warmup --scheduler.num-warmup-steps 150 --scheduler.decay-lr 1e-5 \
  --batch-size 32 --num-workers 1 --seed 1 --steps "$STEPS" --output-dir "$OUTPUT" --json "$@"
