#!/bin/bash
# usage: train.sh OUTPUT   (four runs below it, each goes on from the one before)
DATA=${DATA:-demo-data} HERE=$(dirname "$0") OUTPUT=$1

learn() {  # NAME STEPS RATE WARMUP EXCLUDED SOURCES OPTIONS…
  local name=$1 steps=$2 rate=$3 warmup=$4 excluded=$5 sources=$6
  shift 6
  OMP_NUM_THREADS=2 lr train --policy.device cpu --policy.optimizer-lr-backbone "$rate" --optimizer.lr "$rate" \
    --dataset.root "$DATA/all" --dataset.exclude-episodes "$(cat "$HERE/$excluded")" --dataset.drop-sources "$sources" \
    --dataset.resize 72x96 --dataset.cache disk --dataset.cache-dir "$DATA/cache" \
    --dataset.image-transforms.enable --dataset.image-transforms.max-num-transforms 2 \
    --dataset.image-transforms.brightness '[0.85, 1.15]' --dataset.image-transforms.contrast '[0.85, 1.15]' \
    --dataset.image-transforms.saturation none --dataset.image-transforms.hue none \
    --dataset.image-transforms.sharpness none --dataset.image-transforms.affine '[1.0, 0.015]' \
    --optimizer.weight-decay 1e-4 --optimizer.grad-clip-norm 1 \
    --scheduler cosine_decay_with_warmup --scheduler.num-warmup-steps "$warmup" --scheduler.decay-lr 1e-5 \
    --batch-size 32 --num-workers 1 --steps "$steps" --output-dir "$OUTPUT/$name" --json "$@"
}
after() { echo "$OUTPUT/$1/checkpoints/last/pretrained_model"; }

# On the first day's 164 episodes alone (then the numbers above 256 are not there), 3600 steps and then --resume to 7200.
learn first 7200 8e-4 150 excluded_first.json '["hold"]' --seed 1 --policy act \
  --policy.vision-backbone resnet10_narrow --policy.dim-model 192 --policy.n-heads 4 --policy.dim-feedforward 384 \
  --policy.n-encoder-layers 2 --policy.n-decoder-layers 1 --policy.pre-norm --policy.use-vae false --policy.dropout 0 \
  --policy.use-relative-actions --policy.chunk-size 32 --policy.n-action-steps 16
# On both days', waiting among it: ended with Ctrl-C after 1897 steps, when we saw what waiting teaches.
learn second 7200 6e-4 150 excluded.json '["hold"]' --seed 2 --policy "$(after first)"
# Without it (mark_idle.py); ended after 5890 steps.
learn third 6400 6e-4 150 excluded.json '["hold", "idle"]' --seed 2 --policy "$(after second)"
learn fourth 3600 3.5e-4 100 excluded.json '["hold", "idle"]' --seed 3 --policy "$(after third)"
