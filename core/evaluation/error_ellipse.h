// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace imatch {

/// The error of a predicted position in the plane, and the covariance that the prediction gives itself, as
/// standard deviations and correlation. m.
struct PlaneError {
  double east_m = 0;
  double north_m = 0;
  double east_sigma_m = 0;
  double north_sigma_m = 0;
  double correlation = 0;  ///< In (-1, 1).
};

/// The error in standard deviations of its own ellipse (Mahalanobis distance, squared) once an independent
/// deviation `more_sigma_m` along each axis is added to the covariance. Infinite for an error beside an
/// ellipse without extent.
double squared_distance(const PlaneError& error, double more_sigma_m = 0);

/// Squared distance within which the share `p` of a Gaussian in the plane lies: -2 ln(1 - p).
double squared_radius_of(double p);

/// Share of the errors inside of their ellipses of probability p. NaN without errors.
double ellipse_coverage(std::span<const PlaneError> errors, double p, double more_sigma_m = 0);

/// The same with the deviation that all the other errors leave unexplained (unexplained_sigma_m of these)
/// added to each: whether predictions are right of themselves once the map's own error is known.
double ellipse_coverage_of_others(std::span<const PlaneError> errors, double p);

/// The deviation along each axis that has to be added to the predictions' own for the errors to be most
/// likely (maximum likelihood, Gaussian): what the predictions do not know of, the map's georeference and the
/// truth's own error. 0 where nothing is missing; NaN without errors.
double unexplained_sigma_m(std::span<const PlaneError> errors);

}  // namespace imatch
