namespace Millrace;

/// <summary>How one dashboard is shown, and to whom. Given to the callback of <c>MapMillraceDashboard</c>.</summary>
public sealed class DashboardOptions
{
    /// <summary>What the pages are called.</summary>
    /// <value><c>Millrace</c>.</value>
    public string Title { get; set; } = "Millrace";
}
