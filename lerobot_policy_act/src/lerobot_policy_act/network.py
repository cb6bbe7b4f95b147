"""The network of ACT (arXiv 2304.13705): what was seen -> a chunk of actions, with a style variable while training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from lerobot_torch.kernels import Linear, linear
from torch import Tensor, nn

from .config import ACTConfig
from .positions import picture_positions, sequence_positions
from .resnet import ResNet, width_of
from .transformer import Decoder, Encoder


class Widths(NamedTuple):
    """What a policy sees and gives: numbers in `observation.state` and `observation.environment_state` (0: none),
    whether there are cameras, and numbers in an action."""

    state: int
    environment: int
    cameras: bool
    action: int


class Seen(NamedTuple):
    """A batch of observations: state (B, Q), environment (B, E), images each (B, 3, H, W)."""

    state: Tensor | None
    environment: Tensor | None
    images: Sequence[Tensor]

    @property
    def first(self) -> Tensor:
        """Any of them, for batch size and device."""
        return next(tensor for tensor in (self.state, self.environment, *self.images) if tensor is not None)


class Style(NamedTuple):
    """The style variable's distribution, each (B, L): mean and logarithm of the variance."""

    mean: Tensor
    log_variance: Tensor

    def sample(self) -> Tensor:
        """One draw (B, L), differentiable."""
        return self.mean + (self.log_variance / 2).exp() * torch.randn_like(self.mean)

    def divergence(self) -> Tensor:
        """Kullback-Leibler divergence from a standard normal, summed over the variable, mean over the batch."""
        each = -0.5 * (1 + self.log_variance - self.mean.pow(2) - self.log_variance.exp())
        return each.sum(-1).mean()


class ACT(nn.Module):
    """Encode what was seen, then decode one query per future action."""

    def __init__(self, config: ACTConfig, widths: Widths) -> None:
        super().__init__()
        width, self.latent = config.dim_model, config.latent_dim
        if config.use_vae:
            self._add_style(config, widths)
        if widths.cameras:
            self.backbone = ResNet(config.vision_backbone, config.replace_final_stride_with_dilation)
        self.encoder = Encoder(config, config.n_encoder_layers)
        self.decoder = Decoder(config)
        if widths.state:
            self.encoder_robot_state_input_proj = Linear(widths.state, width)
        if widths.environment:
            self.encoder_env_state_input_proj = Linear(widths.environment, width)
        self.encoder_latent_input_proj = Linear(config.latent_dim, width)
        if widths.cameras:
            self.encoder_img_feat_input_proj = nn.Conv2d(width_of(config.vision_backbone), width, 1)
        tokens = 1 + bool(widths.state) + bool(widths.environment)
        self.encoder_1d_feature_pos_embed = nn.Embedding(tokens, width)
        self.decoder_pos_embed = nn.Embedding(config.chunk_size, width)
        self.action_head = Linear(width, widths.action)
        for parameter in (*self.encoder.parameters(), *self.decoder.parameters()):
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def _add_style(self, config: ACTConfig, widths: Widths) -> None:
        width = config.dim_model
        self.vae_encoder = Encoder(config, config.n_vae_encoder_layers)
        self.vae_encoder_cls_embed = nn.Embedding(1, width)
        if widths.state:
            self.vae_encoder_robot_state_input_proj = Linear(widths.state, width)
        self.vae_encoder_action_input_proj = Linear(widths.action, width)
        self.vae_encoder_latent_output_proj = Linear(width, 2 * config.latent_dim)
        tokens = 1 + bool(widths.state) + config.chunk_size
        self.register_buffer("vae_encoder_pos_enc", sequence_positions(tokens, width)[None])

    def forward(self, seen: Seen, latent: Tensor | None = None) -> Tensor:
        """Actions (B, T, A); without a style (B, L) the most likely one, zero."""
        if latent is None:
            latent = seen.first.new_zeros(seen.first.shape[0], self.latent)
        memory, positions = self._tokens(seen, latent)
        memory = self.encoder(memory, positions)
        queries = self.decoder_pos_embed.weight
        actions: Tensor = self.action_head(self.decoder(queries, memory, positions))
        return actions

    def style(self, state: Tensor | None, actions: Tensor, padded: Tensor) -> Style:
        """Which style these actions (B, T, A) have; `padded` (B, T) is True past the end of an episode."""
        count = actions.shape[0]
        tokens = [self.vae_encoder_cls_embed.weight.expand(count, 1, -1)]
        if state is not None:
            tokens.append(self.vae_encoder_robot_state_input_proj(state)[:, None])
        padding = torch.cat([padded.new_zeros(count, len(tokens)), padded], dim=1)
        tokens.append(self.vae_encoder_action_input_proj(actions))
        positions = self.get_buffer("vae_encoder_pos_enc")[0]
        first = self.vae_encoder(torch.cat(tokens, dim=1), positions, padding)[:, 0]
        return Style(*self.vae_encoder_latent_output_proj(first).chunk(2, dim=-1))

    def _tokens(self, seen: Seen, latent: Tensor) -> tuple[Tensor, Tensor]:
        """The encoder's input (B, S, D): style, state, environment, then the pixels of each camera; and positions (S, D)."""
        single = [self.encoder_latent_input_proj(latent)]
        if seen.state is not None:
            single.append(self.encoder_robot_state_input_proj(seen.state))
        if seen.environment is not None:
            single.append(self.encoder_env_state_input_proj(seen.environment))
        tokens, positions = [torch.stack(single, dim=1)], [self.encoder_1d_feature_pos_embed.weight]
        for pixels in self._features(seen.images):
            tokens.append(self._pixel_tokens(pixels))
            height, row = pixels.shape[-2:]
            positions.append(picture_positions(height, row, tokens[0].shape[-1], pixels.device))
        return torch.cat(tokens, dim=1), torch.cat(positions)

    def _features(self, images: Sequence[Tensor]) -> Sequence[Tensor]:
        """Each camera's features (B, C, h, w); cameras of one size go through the backbone together."""
        if len({image.shape for image in images}) == 1:
            features: Tensor = self.backbone(torch.cat(list(images)))
            return features.chunk(len(images))
        return [self.backbone(image) for image in images]

    def _pixel_tokens(self, pixels: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, h * w, D): a 1x1 convolution, as the linear layer that it is."""
        projection = self.encoder_img_feat_input_proj
        rows = pixels.permute(0, 2, 3, 1).flatten(1, 2)
        return linear(rows, projection.weight.flatten(1), projection.bias)
