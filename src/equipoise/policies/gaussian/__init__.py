"""Normal beliefs about many weights: their covariance in place, the noise, the draws, the arithmetic."""
